package supervise

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestFailingPartLeavesOthersAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		panics, fails := 0, 0
		s.Start(ctx, "panics", func(context.Context, *Part) error { panics++; panic("boom") })
		s.Start(ctx, "fails", func(context.Context, *Part) error { fails++; return errors.New("no") })
		s.Start(ctx, "works", func(ctx context.Context, p *Part) error { p.OK(); <-ctx.Done(); return nil })
		s.Off("unused")
		time.Sleep(10 * time.Second) // starts at 0, 1, 3 and 7 s
		synctest.Wait()
		if panics != 4 || fails != 4 {
			t.Errorf("started %d and %d times, want 4", panics, fails)
		}
		want := `# HELP inframind_component_restarts_total How often the component was started again after it had failed.
# TYPE inframind_component_restarts_total counter
inframind_component_restarts_total{component="fails"} 4
inframind_component_restarts_total{component="panics"} 4
inframind_component_restarts_total{component="unused"} 0
inframind_component_restarts_total{component="works"} 0
# HELP inframind_component_state State of the component; 1 for the state it is in.
# TYPE inframind_component_state gauge
` + state("fails", Failed) + state("panics", Failed) + state("unused", Off) + state("works", OK)
		if err := testutil.CollectAndCompare(s, strings.NewReader(want), "inframind_component_state", "inframind_component_restarts_total"); err != nil {
			t.Error(err)
		}
		if problems, err := testutil.CollectAndLint(s); err != nil || len(problems) > 0 {
			t.Error(problems, err)
		}
		cancel()
		s.Wait()
	})
}

func state(name string, in State) string {
	var b strings.Builder
	for _, st := range states {
		v := " 0\n"
		if st == in {
			v = " 1\n"
		}
		b.WriteString(`inframind_component_state{component="` + name + `",state="` + string(st) + `"}` + v)
	}
	return b.String()
}

func TestPauseShrinksAfterALongRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		var starts []time.Time
		s.Start(ctx, "part", func(context.Context, *Part) error {
			starts = append(starts, time.Now())
			if len(starts) == 4 {
				time.Sleep(2 * lastPause)
			}
			return errors.New("no")
		})
		time.Sleep(5 * time.Minute)
		cancel()
		s.Wait()
		if len(starts) < 5 {
			t.Fatalf("%d starts", len(starts))
		}
		if got := starts[4].Sub(starts[3]); got != 2*lastPause+firstPause {
			t.Errorf("restart after %s, want the first pause again", got)
		}
	})
}

func TestStopAndStartAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(slog.New(slog.DiscardHandler))
		running := 0
		run := func(ctx context.Context, _ *Part) error {
			running++
			defer func() { running-- }()
			<-ctx.Done()
			return nil
		}
		for range 3 {
			p := s.Start(t.Context(), "job", run)
			synctest.Wait()
			if running != 1 {
				t.Fatalf("%d running", running)
			}
			p.Stop()
		}
		s.Wait()
		if running != 0 {
			t.Errorf("%d still running", running)
		}
	})
}
