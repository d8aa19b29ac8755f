package classify

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/inframind/inframind/internal/job"
	"github.com/inframind/inframind/log-classifier/label"
	"github.com/inframind/inframind/log-classifier/mine"
)

// stateForm is the version of state.json.
const stateForm = 1

// state is all that a run leaves for the next one. It is one file, saved after the lines it
// stands for were written, so that counts are exact however a run ends.
type state struct {
	Form        int               `json:"form"`
	Index       string            `json:"index"` // the cursor belongs to
	Cursor      string            `json:"cursor"`
	LastSuccess time.Time         `json:"last_success"`
	Retrained   time.Time         `json:"retrained"`
	Lines       map[string]int64  `json:"lines"` // by category, host, service and demo, NUL between
	Confidence  []int64           `json:"confidence"`
	ConfSum     float64           `json:"confidence_sum"`
	Unseen      float64           `json:"unseen_ratio"` // exponentially forgotten
	New         int64             `json:"new_templates"`
	Rejected    int64             `json:"rejected"`
	NoMessage   int64             `json:"no_message"`
	Random      weekly            `json:"random_review"`
	Queue       map[string]*Asked `json:"review_queue"` // by template id
	Mix         mix               `json:"class_mix"`
	Months      map[string]*tally `json:"months,omitempty"` // by 2006-01, of the lines' time
	Mined       mine.State        `json:"mined"`
}

// weekly counts the random lines sent to review in one week.
type weekly struct {
	Week  int64 `json:"week"` // since 1970
	Lines int64 `json:"lines"`
	Last  int64 `json:"last_week_lines"`
	Sent  int   `json:"sent"`
}

// mix is the share of each category: of the last lines, and at first.
type mix struct {
	Lines    int64                `json:"lines"`
	Now      [label.Count]float64 `json:"now"`
	Baseline [label.Count]float64 `json:"baseline"`
}

// Asked is one template a person is asked about.
type Asked struct {
	Template   string    `json:"template"`
	Message    string    `json:"message"`
	Category   string    `json:"category"`
	Confidence float64   `json:"confidence"`
	Lines      int64     `json:"lines"`
	Random     bool      `json:"random"`
	Since      time.Time `json:"since"`
}

// confidenceBounds are the upper bounds of the confidence histogram.
var confidenceBounds = [...]float64{0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1}

func newState(index string) *state {
	return &state{Form: stateForm, Index: index, Lines: map[string]int64{}, Queue: map[string]*Asked{}, Confidence: make([]int64, len(confidenceBounds))}
}

func statePath(dir string) string { return filepath.Join(dir, "state.json") }

// loadState reads the state below dir; a missing one is new. Another index has a cursor of
// its own: reading starts afresh, the counters stay.
func loadState(dir, index string) (*state, error) {
	s := newState(index)
	if dir == "" {
		return s, nil
	}
	if err := job.LoadJSON(statePath(dir), s); err != nil {
		return nil, err
	}
	if s.Form != stateForm {
		return nil, fmt.Errorf("%s has form %d, this program reads form %d: move it away to start afresh", statePath(dir), s.Form, stateForm)
	}
	if len(s.Confidence) != len(confidenceBounds) || s.Lines == nil || s.Queue == nil {
		return nil, fmt.Errorf("%s is damaged: move it away to start afresh", statePath(dir))
	}
	if s.Index != index {
		s.Index, s.Cursor = index, ""
	}
	return s, nil
}

// count adds one line. Hosts and services beyond the limits count as "other"; demo is "true"
// for invented lines and empty for real ones.
func (s *state) count(v *Verdict, host, service, demo string) {
	s.Lines[strings.Join([]string{v.Category.String(), host, service, demo}, "\x00")]++
	for i, b := range confidenceBounds {
		if v.Confidence <= b {
			s.Confidence[i]++
			break
		}
	}
	s.ConfSum += v.Confidence
	const slow = 1.0 / 20_000 // the mean of about the last 20,000 lines
	s.Unseen += slow * (v.Unseen - s.Unseen)
	s.Mix.Lines++
	weight := max(slow, 1/float64(s.Mix.Lines))
	for c := range s.Mix.Now {
		hit := 0.0
		if label.Category(c) == v.Category {
			hit = 1
		}
		s.Mix.Now[c] += weight * (hit - s.Mix.Now[c])
	}
	if s.Mix.Lines == 20_000 {
		s.Mix.Baseline = s.Mix.Now
	}
}

// bounded maps values to themselves until there are max of them, then to "other".
type bounded struct {
	max  int
	seen map[string]struct{}
}

func newBounded(limit int) *bounded { return &bounded{limit, map[string]struct{}{}} }

func (b *bounded) value(v string) string {
	if v == "" {
		return ""
	}
	if _, ok := b.seen[v]; ok {
		return v
	}
	if len(b.seen) >= b.max {
		return "other"
	}
	b.seen[v] = struct{}{}
	return v
}

// known enters the hosts and services that earlier runs counted.
func (s *state) known(hosts, services *bounded) {
	for k := range s.Lines {
		if p := strings.Split(k, "\x00"); len(p) == 4 {
			hosts.value(p[1])
			services.value(p[2])
		}
	}
}
