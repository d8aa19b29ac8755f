package classify

import (
	"time"

	"github.com/inframind/inframind/log-classifier/evaluate"
	"github.com/inframind/inframind/log-classifier/label"
)

// driftState is how well the model did on the lines people reviewed in the last week.
type driftState struct {
	f1       float64
	lines    int
	baseline float64 // of the weeks before; 0 if too few lines were reviewed then
	due      bool
}

// driftLines is how many reviewed lines a period must hold before it says anything.
const driftLines = 30

// drift compares the macro-F1 of the last week's reviewed predictions with that of all
// before. Both are of lines sent to review, so they compare like with like.
func drift(list []Reviewed, drop float64, now time.Time) driftState {
	week := now.Add(-7 * 24 * time.Hour)
	var d driftState
	d.f1, d.lines = reviewedF1(list, func(r Reviewed) bool { return r.Time.After(week) })
	base, n := reviewedF1(list, func(r Reviewed) bool { return !r.Time.After(week) })
	if n >= driftLines {
		d.baseline = base
	}
	d.due = d.lines >= driftLines && d.f1 < d.baseline*(1-drop)
	return d
}

// reviewedF1 is the macro-F1 of the predictions that keep wants, and how many they are.
func reviewedF1(list []Reviewed, keep func(Reviewed) bool) (f1 float64, lines int) {
	var m evaluate.Confusion
	for _, r := range list {
		p, err := label.Parse(r.Predicted)
		if err != nil || !keep(r) {
			continue
		}
		lines++
		m.Add(r.Category, p, 1)
	}
	if lines == 0 {
		return 0, 0
	}
	return m.Macro(), lines
}
