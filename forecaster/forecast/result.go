package forecast

import (
	"strconv"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/inframind/inframind/forecaster/backtest"
)

// Levels of every interval.
func levels() []float64 { return []float64{0.80, 0.95} }

// Quantiles published, in order, and how they are printed.
const (
	q025 = "0.025"
	q10  = "0.1"
	q50  = "0.5"
	q90  = "0.9"
	q975 = "0.975"
)

// Result is what is known of one series after a run. It is kept in the state file, so
// that a series that fails later keeps its last good forecast.
type Result struct {
	Target string        `json:"target"`
	Labels labels.Labels `json:"labels"`
	// Status is "ok", or "failed" with the Reason.
	Status  string    `json:"status"`
	Reason  string    `json:"reason,omitempty"`
	Made    time.Time `json:"made"`    // when the forecast was made
	Trained time.Time `json:"trained"` // when the model was backtested
	Last    time.Time `json:"last"`    // newest sample
	Rows    int       `json:"rows"`

	Model       string                        `json:"model,omitempty"`
	Horizons    map[string]map[string]float64 `json:"horizons,omitempty"` // horizon, quantile
	Backtest    *Accuracy                     `json:"backtest,omitempty"`
	Corrections []string                      `json:"corrections,omitempty"`
	Notes       []string                      `json:"notes,omitempty"`
}

// Accuracy is backtest.Measures without what JSON cannot hold.
type Accuracy struct {
	Points                       int
	MAPE, SMAPE, MASE            *float64
	Coverage80, Coverage95       *float64
	Score80, Score95, DurbinWats *float64
}

func accuracy(m backtest.Measures) *Accuracy {
	if m.Points == 0 {
		return nil
	}
	return &Accuracy{Points: m.Points, MAPE: finite(m.MAPE), SMAPE: finite(m.SMAPE), MASE: finite(m.MASE),
		Coverage80: finite(m.Coverage[0]), Coverage95: finite(m.Coverage[1]),
		Score80: finite(m.Score[0]), Score95: finite(m.Score[1]), DurbinWats: finite(m.DW)}
}

func finite(v float64) *float64 {
	if v-v != 0 { // NaN or infinite
		return nil
	}
	return &v
}

func key(target string, ls labels.Labels) string { return target + ls.String() }

func shortDuration(d time.Duration) string {
	if d%(24*time.Hour) == 0 {
		return strconv.Itoa(int(d/(24*time.Hour))) + "d"
	}
	if d%time.Hour == 0 {
		return strconv.Itoa(int(d/time.Hour)) + "h"
	}
	return d.String()
}
