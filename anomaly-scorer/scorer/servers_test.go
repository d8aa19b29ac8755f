package scorer

import (
	"encoding/csv"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/inframind/inframind/anomaly-scorer/measure"
	"github.com/inframind/inframind/anomaly-scorer/seasonal"
	"github.com/inframind/inframind/internal/testdata"
)

// server is a recorded server: its metrics in steps of five minutes, and what people marked.
type server struct {
	values [][]float64 // by metric
	marked []bool
	train  int // points before the marked part
}

// readServer joins train.csv.xz and test.csv.xz, taking the mean of each so many rows.
func readServer(t *testing.T, dir string, each int) (s server) {
	t.Helper()
	for _, part := range []string{"train.csv.xz", "test.csv.xz"} {
		raw := testdata.Unxz(t, filepath.Join(dir, part))
		rows, err := csv.NewReader(strings.NewReader(string(raw))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		head, rows := rows[0], rows[1:]
		metrics := len(head)
		labelled := head[metrics-1] == "label"
		if labelled {
			metrics--
			s.train = len(s.marked)
		}
		if s.values == nil {
			s.values = make([][]float64, metrics)
		}
		for ; len(rows) >= each; rows = rows[each:] {
			bad := false
			sums := make([]float64, metrics)
			for _, r := range rows[:each] {
				for k := range sums {
					v, err := strconv.ParseFloat(r[k], 64)
					if err != nil {
						t.Fatal(err)
					}
					sums[k] += v / float64(each)
				}
				bad = bad || labelled && strings.HasPrefix(r[metrics], "1")
			}
			for k, v := range sums {
				s.values[k] = append(s.values[k], v)
			}
			s.marked = append(s.marked, bad)
		}
	}
	return s
}

// at is the joint score at point i with two weeks of history.
func (s *server) at(i int) float64 {
	const step = 5 * time.Minute
	from := max(0, i+1-int(14*24*time.Hour/step))
	var list []seasonal.Series
	for _, v := range s.values {
		list = append(list, seasonal.Series{Start: start.Add(time.Duration(from) * step), Step: step, Values: v[from : i+1]})
	}
	score, _ := jointScore(list)
	return score
}

// TestServerMetrics measures the joint score against incidents that people marked in the
// metrics of real servers. The marks are known to be coarse.
func TestServerMetrics(t *testing.T) {
	if testing.Short() {
		t.Skip("accuracy takes long; it is measured without -short")
	}
	for _, tc := range []struct {
		set   string
		skip  int // of so many servers one is taken: it takes long
		each  int // rows in five minutes
		every int // points between two judgements in calm times
		found float64
	}{{"asd", 1, 1, 24, .35}, {"smd", 3, 5, 36, .45}} {
		dirs, err := filepath.Glob(filepath.Join(testdata.Dir(t, "timeseries/"+tc.set), "*"))
		if err != nil {
			t.Fatal(err)
		}
		var scores []float64
		var truth []bool
		events, found, alarms, calm := 0, 0, 0, 0
		servers := 0
		for i, dir := range dirs {
			if i%tc.skip != 0 {
				continue
			}
			servers++
			s := readServer(t, dir, tc.each)
			for i := s.train; i < len(s.marked); i++ {
				if s.marked[i] { // the incident's first two hours, at most
					events++
					hit := false
					for k := i; k < min(i+24, len(s.marked)) && s.marked[k]; k += 3 {
						score := s.at(k)
						hit = hit || score >= Threshold
						scores, truth = append(scores, score), append(truth, true)
					}
					if hit {
						found++
					}
					for i < len(s.marked) && s.marked[i] {
						i++
					}
				}
				if i%tc.every == 0 && i < len(s.marked) {
					score := s.at(i)
					calm++
					if score >= Threshold {
						alarms++
					}
					scores, truth = append(scores, score), append(truth, false)
				}
			}
		}
		recall, wrong := float64(found)/float64(events), float64(alarms)/float64(calm)
		t.Logf("%s: %d servers, AUROC %.3f, %d of %d incidents found, %.1f %% of %d calm moments flagged", tc.set, servers, measure.AUROC(scores, truth), found, events, 100*wrong, calm)
		if recall < tc.found || wrong > .04 {
			t.Errorf("%s: below the bar", tc.set)
		}
	}
}
