package job

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

type recorder struct{ pushes int }

func (r *recorder) Publish(_ context.Context, _ string, _ map[string]string, g Gatherer) error {
	r.pushes++
	_, err := g.Gather()
	return err
}

func TestOncePushesFailuresToo(t *testing.T) {
	m := NewMetrics("forecaster", "forecaster", Shard{})
	var pub recorder
	boom := errors.New("boom")
	err := Once(t.Context(), slog.New(slog.DiscardHandler), m, &pub, func(context.Context) (Result, error) {
		return Result{Read: 3, Failed: 1}, boom
	})
	if !errors.Is(err, boom) || pub.pushes != 1 {
		t.Fatalf("err %v, pushes %d", err, pub.pushes)
	}
	want := `# HELP forecaster_last_run_items Items of the last run by what became of them.
# TYPE forecaster_last_run_items gauge
forecaster_last_run_items{outcome="failed"} 1
forecaster_last_run_items{outcome="read"} 3
forecaster_last_run_items{outcome="skipped"} 0
forecaster_last_run_items{outcome="written"} 0
# HELP forecaster_last_success_timestamp_seconds Unix time of the last run that succeeded, 0 if none has.
# TYPE forecaster_last_success_timestamp_seconds gauge
forecaster_last_success_timestamp_seconds 0
`
	if err := testutil.GatherAndCompare(m.Registry(), strings.NewReader(want), "forecaster_last_run_items", "forecaster_last_success_timestamp_seconds"); err != nil {
		t.Error(err)
	}
	if problems, err := testutil.GatherAndLint(m.Registry()); err != nil || len(problems) > 0 {
		t.Error(problems, err)
	}
}

func TestEveryNeverOverlaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 95*time.Second)
		defer cancel()
		running, runs := 0, 0
		Every(ctx, 10*time.Second, func(context.Context) error {
			running++
			if running > 1 {
				t.Error("two runs at once")
			}
			time.Sleep(25 * time.Second)
			running--
			runs++
			return nil
		})
		if runs != 4 {
			t.Errorf("%d runs, want 4", runs)
		}
	})
}

func TestLockNamesHolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	unlock, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Lock(dir); !errors.Is(err, ErrHeld) || !strings.Contains(err.Error(), fmt.Sprintf("pid %d", os.Getpid())) {
		t.Fatalf("second lock: %v", err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	unlock, err = Lock(dir)
	if err != nil {
		t.Fatalf("after unlock: %v", err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
}

func TestShardsPartition(t *testing.T) {
	const n = 3
	for i := range 1000 {
		key, owners := fmt.Sprintf("host-%d", i), 0
		for s := range n {
			if (Shard{s, n}).Owns(key) {
				owners++
			}
		}
		if owners != 1 {
			t.Fatalf("%s has %d owners", key, owners)
		}
	}
}

func TestShardFrom(t *testing.T) {
	for _, tc := range []struct {
		flag, idx, n string
		want         Shard
		bad          bool
	}{
		{"", "", "", Shard{0, 1}, false},
		{"1/3", "", "", Shard{1, 3}, false},
		{"3/3", "", "", Shard{}, true},
		{"x", "", "", Shard{}, true},
		{"", "2", "5", Shard{2, 5}, false},
		{"", "2", "", Shard{}, true},
	} {
		t.Setenv("JOB_COMPLETION_INDEX", tc.idx)
		t.Setenv("JOB_COMPLETIONS", tc.n)
		got, err := ShardFrom(tc.flag)
		if got != tc.want || (err != nil) != tc.bad {
			t.Errorf("%+v: got %v, %v", tc, got, err)
		}
	}
}

func TestStateSurvivesAndReportsDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "cursor.json")
	var v map[string]int
	if err := LoadJSON(path, &v); err != nil || v != nil {
		t.Fatalf("missing file: %v %v", v, err)
	}
	if err := SaveJSON(path, map[string]int{"x": 1}); err != nil {
		t.Fatal(err)
	}
	if err := LoadJSON(path, &v); err != nil || v["x"] != 1 {
		t.Fatalf("%v %v", v, err)
	}
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := LoadJSON(path, &v); err == nil || !strings.Contains(err.Error(), "is damaged") {
		t.Fatalf("damaged file: %v", err)
	}
}

func TestAppendTraining(t *testing.T) {
	dir := t.TempDir()
	if list, err := ReadTrainings(dir); list != nil || err != nil {
		t.Fatalf("no log yet: %v %v", list, err)
	}
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for range 2 {
		err := AppendTraining(dir, Training{
			Time: at, From: at.AddDate(0, 0, -7), To: at, Rows: 10,
			Params: map[string]string{"trees": "100", "sample": "256"}, Metrics: map[string]float64{"auroc": 0.99}, Model: "m", Hash: "h", Promoted: true,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.Open(filepath.Join(dir, "training_log.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) != 3 || rows[2][4] != "sample=256 trees=100" || rows[2][1] != "2026-10-25T00:00:00Z" {
		t.Fatalf("%v %v", rows, err)
	}
	list, err := ReadTrainings(dir)
	if err != nil || len(list) != 2 || !list[1].Time.Equal(at) || list[1].Params["trees"] != "100" || list[1].MetricsText() != "auroc=0.99" || !list[1].Promoted {
		t.Fatalf("%+v %v", list, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "training_log.csv"), []byte("time,b,c,d,e,f,g,h,i,j\nyesterday,,,1,,,,,true,\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadTrainings(dir); err == nil || !strings.Contains(err.Error(), "training_log.csv:2:") {
		t.Errorf("a damaged line: %v", err)
	}
}
