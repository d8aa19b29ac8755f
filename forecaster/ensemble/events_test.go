package ensemble_test

import (
	"math"
	"testing"
	"time"

	"github.com/inframind/inframind/forecaster/ensemble"
	"github.com/inframind/inframind/forecaster/model"
	"github.com/inframind/inframind/forecaster/modeltest"
)

// TestEventsAhead has a batch run of six hours at odd times, thrice in the history and
// once ahead, at hourly and at ten minutes' resolution.
func TestEventsAhead(t *testing.T) {
	for _, per := range []int{1, 6} {
		step := time.Hour / time.Duration(per)
		in := modeltest.Inputs()["a month"]
		hours := modeltest.Season(720+168, 0.6)
		in.Step = step
		var events []model.Event
		for _, at := range []int{5*24 + 3, 11*24 + 14, 20*24 + 9, 720 + 50} {
			e := model.Event{Name: "batch", From: in.Start.Add(time.Duration(at) * time.Hour), To: in.Start.Add(time.Duration(at+6) * time.Hour)}
			events = append(events, e)
			for i := at; i < at+6; i++ {
				hours[i] += 0.35
			}
		}
		in.Y = nil
		for _, v := range hours[:720] {
			for range per {
				in.Y = append(in.Y, v)
			}
		}
		miss := func(events []model.Event) (during, rest float64) {
			in.Events = events
			f := fit(t, ensemble.Model{Horizon: 168 * per}, in).Forecast(168*per, modeltest.Levels)
			if err := modeltest.Check(f, in, 168*per); err != nil {
				t.Fatal(err)
			}
			for h := range 168 {
				e := math.Abs(f.Median[h*per] - hours[720+h])
				if h >= 50 && h < 56 {
					during += e / 6
				} else {
					rest += e / 162
				}
			}
			return during, rest
		}
		blind, _ := miss(nil)
		during, rest := miss(events)
		if blind < 0.25 || during > 0.1 || rest > 0.05 {
			t.Errorf("step %s: errs by %.3f during the event, %.3f else; without knowing of it %.3f", step, during, rest, blind)
		}
	}
}
