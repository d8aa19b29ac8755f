package classify

import (
	"math"
	"time"

	"github.com/inframind/inframind/log-classifier/label"
)

// driftState is how well the model did on the lines people reviewed in the last week.
type driftState struct {
	f1    float64
	lines int
	due   bool
}

// driftLines is how many reviewed lines a week must hold before they may ask for a
// retraining: fewer say nothing.
const driftLines = 30

// drift compares the macro-F1 of the last week's reviewed predictions with the baseline.
// Labels the model was unsure of are among them, so the baseline is that of unseen systems.
func drift(list []Reviewed, baseline, drop float64, now time.Time) driftState {
	var hit, got, truth [label.Count]float64
	var d driftState
	for _, r := range list {
		p, err := label.Parse(r.Predicted)
		if err != nil || now.Sub(r.Time) > 7*24*time.Hour {
			continue
		}
		d.lines++
		got[p]++
		truth[r.Category]++
		if p == r.Category {
			hit[p]++
		}
	}
	n := 0.0
	for c := range hit {
		if got[c]+truth[c] > 0 {
			d.f1 += 2 * hit[c] / (got[c] + truth[c])
			n++
		}
	}
	d.f1 /= math.Max(n, 1)
	d.due = d.lines >= driftLines && baseline > 0 && d.f1 < baseline*(1-drop)
	return d
}
