package forecast

import (
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/inframind/inframind/internal/job"
)

// TestVersionsAndRollback trains on eight days in a row, goes back, and forecasts with
// what it went back to.
func TestVersionsAndRollback(t *testing.T) {
	noise := func(at time.Time) float64 { return daily(0.4)(at) + 0.02*float64(at.Unix()/3600*7919%101)/101 }
	f := newServer(t, map[string]func(time.Time) float64{`{"instance":"a"}`: noise, `{"instance":"b"}`: noise})
	dir, now := t.TempDir(), testNow
	run := func() *Engine {
		t.Helper()
		e, err := New(testConfig(f), Options{StateDir: dir, Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.RunOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		return e
	}
	state := func() string {
		t.Helper()
		list, err := LoadResults(dir)
		if err != nil || len(list) != 2 {
			t.Fatal(list, err)
		}
		return fmt.Sprint(*list[0].State)
	}
	var states []string
	for range keepVersions + 3 {
		e := run()
		if _, err := Rollback(dir, "any", now); !errors.Is(err, job.ErrHeld) {
			t.Errorf("rolled back under a running job: %v", err)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		states, now = append(states, state()), now.Add(25*time.Hour)
	}
	list, err := Versions(dir)
	if err != nil || len(list) != keepVersions || list[0] != testNow.Add((keepVersions+2)*25*time.Hour).Format("20060102T150405Z") {
		t.Fatalf("versions %v, %v", list, err)
	}
	n, err := Rollback(dir, list[2], now)
	if err != nil || n != 2 || state() != states[len(states)-3] {
		t.Fatalf("%d series, %v; the state is not that of %s", n, err, list[2])
	}
	went := now
	now = now.Add(time.Hour)
	e := run()
	if r := e.Results()[0]; !r.Made.Equal(now) || !r.Trained.Equal(went) || r.Reason != "weights of the last backtest" {
		t.Errorf("made %s, trained %s: %s; want a forecast by what it went back to", r.Made, r.Trained, r.Reason)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	for version, want := range map[string]string{"../forecasts": "is not a name", "20200101T000000Z": "no such file"} {
		if _, err := Rollback(dir, version, now); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", version, err, want)
		}
	}
	rows := trainings(t, dir)
	if len(rows) != keepVersions+4 || rows[len(rows)-1][9] != "rolled back by hand, 2 series" {
		t.Errorf("training log: %v", rows)
	}
}

func trainings(t *testing.T, dir string) [][]string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "training_log.csv"))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(raw))).ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatal(rows, err)
	}
	return rows[1:]
}

func TestTrainingLineCountsWhatStays(t *testing.T) {
	mape := 0.1
	list := []*Result{{Rows: 5, Kept: true, Backtest: &Accuracy{MAPE: &mape}}, {Rows: 7}}
	if l := trainingLine(list); !l.Promoted || l.Rows != 12 || l.Metrics["mape"] != 0.1 || l.Reason != "1 of 2 series keep the model in service: a new one did worse" {
		t.Errorf("got %+v", l)
	}
	list[1].Kept = true
	if l := trainingLine(list); l.Promoted {
		t.Errorf("nothing was promoted, got %+v", l)
	}
}
