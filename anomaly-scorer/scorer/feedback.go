package scorer

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/inframind/inframind/anomaly-scorer/detect"
	"github.com/inframind/inframind/internal/job"
	"github.com/inframind/inframind/internal/zeek"
)

// Judgement is what a person said of a finding or a connection.
type Judgement struct {
	ID          string    `json:"id"`
	Right       bool      `json:"right"`
	Time        time.Time `json:"time"`
	Detector    string    `json:"detector,omitempty"`
	Source      string    `json:"source,omitempty"`
	Destination string    `json:"destination,omitempty"`
	Service     string    `json:"service,omitempty"`
	Score       float64   `json:"score,omitempty"`
}

// Feedback is what people said, kept in feedback.json of the state directory.
type Feedback struct {
	path string
	List []Judgement `json:"judgements"`
}

// maxJudgements bounds the file; the oldest are dropped first.
const maxJudgements = 10_000

// OpenFeedback reads the feedback kept in dir.
func OpenFeedback(dir string) (*Feedback, error) {
	f := &Feedback{path: filepath.Join(dir, "feedback.json")}
	if err := job.LoadJSON(f.path, f); err != nil {
		return nil, fmt.Errorf("feedback: %w", err)
	}
	return f, nil
}

// ErrNoID says that a judgement names nothing.
var ErrNoID = errors.New("the id of a finding or connection is needed")

// Add stores a judgement; a later one about the same id replaces the earlier.
func (f *Feedback) Add(j Judgement) error {
	if j.ID == "" {
		return ErrNoID
	}
	f.List = slices.DeleteFunc(f.List, func(o Judgement) bool { return o.ID == j.ID })
	f.List = append(f.List, j)
	if over := len(f.List) - maxJudgements; over > 0 {
		f.List = f.List[over:]
	}
	return job.SaveJSON(f.path, f)
}

// suppresses tells whether the same behaviour was called false before and never right since.
func (f *Feedback) suppresses(detector, source, destination, service string) bool {
	for _, v := range slices.Backward(f.List) {
		j := &v
		if j.Detector == detector && j.Source == source && j.Destination == destination && j.Service == service {
			return !j.Right
		}
	}
	return false
}

// Threshold is the evidence threshold that the judgements about single connections ask
// for: where twice as many false as right ones lie above it, it moves up, by at most one.
func (f *Feedback) Threshold(standard float64) float64 {
	var wrong, right []float64
	for _, j := range f.List {
		if j.Detector != probing || j.Score <= 0 {
			continue
		}
		if j.Right {
			right = append(right, j.Score)
		} else {
			wrong = append(wrong, j.Score)
		}
	}
	if len(wrong) < 5 {
		return standard
	}
	best, cost := standard, costAt(standard, wrong, right)
	for t := standard; t <= standard+1; t += .1 {
		if c := costAt(t, wrong, right); c < cost {
			best, cost = t, c
		}
	}
	return best
}

// costAt counts false alarms at a threshold, and missed ones twice.
func costAt(t float64, wrong, right []float64) (cost int) {
	for _, s := range wrong {
		if s >= t {
			cost++
		}
	}
	for _, s := range right {
		if s < t {
			cost += 2
		}
	}
	return cost
}

// Week counts the judgements of the seven days before now.
func (f *Feedback) Week(now time.Time) (right, wrong int) {
	for _, j := range f.List {
		if age := now.Sub(j.Time); age < 0 || age > 7*24*time.Hour {
			continue
		}
		if j.Right {
			right++
		} else {
			wrong++
		}
	}
	return right, wrong
}

// suppressed tells whether a finding is known and wanted, by configuration or feedback.
func (e *Engine) suppressed(f *detect.Finding) bool {
	return e.cfg.allows(f.Detector, f.Source, f.Destination, f.Service) || e.feed.suppresses(f.Detector, f.Source, f.Destination, f.Service)
}

func (e *Engine) allowed(detector string, c *zeek.Conn) bool {
	if len(e.cfg.Allow) == 0 && len(e.feed.List) == 0 {
		return false
	}
	src, dst, service := c.Orig.String(), c.Resp.String(), detect.Service(c)
	return e.cfg.allows(detector, src, dst, service) || e.feed.suppresses(detector, src, dst, service)
}

func (c *Config) allows(detector, source, destination, service string) bool {
	return slices.ContainsFunc(c.Allow, func(a Allow) bool { return a.matches(detector, source, destination, service) })
}
