package forecast

import (
	"strconv"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/inframind/inframind/forecaster/backtest"
	"github.com/inframind/inframind/forecaster/clean"
	"github.com/inframind/inframind/forecaster/ensemble"
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
	// Status is ok or failed. Reason says why it failed, or why the model was chosen.
	Status  string    `json:"status"`
	Reason  string    `json:"reason,omitempty"`
	Made    time.Time `json:"made"`    // when the forecast was made
	Trained time.Time `json:"trained"` // when the model was backtested
	Last    time.Time `json:"last"`    // newest sample
	Rows    int       `json:"rows"`

	From        time.Time                     `json:"from"`           // oldest sample used
	Kept        bool                          `json:"kept,omitempty"` // the last training did worse than what was in service
	Model       string                        `json:"model,omitempty"`
	State       *ensemble.State               `json:"state,omitempty"`
	Trend       string                        `json:"trend,omitempty"` // in words
	Exhaustion  []Exhaustion                  `json:"exhaustion,omitempty"`
	Horizons    map[string]map[string]float64 `json:"horizons,omitempty"` // horizon, quantile
	Backtest    *Accuracy                     `json:"backtest,omitempty"`
	Corrections []clean.Correction            `json:"cleaned,omitempty"` // before anything was learnt
}

// States of a result.
const (
	statusOK     = "ok"
	statusFailed = "failed"
)

// Exhaustion is one threshold's crossing; nil: not within the horizon.
type Exhaustion struct {
	Threshold string             `json:"threshold"`
	Median    *float64           `json:"median_seconds,omitempty"`
	Outer     *float64           `json:"outer_seconds,omitempty"`
	Within    map[string]float64 `json:"within"`
	Growing   bool               `json:"growing"`
}

// Accuracy is backtest.Measures without what JSON cannot hold.
type Accuracy struct {
	Points       int      `json:"points"`
	MAPE         *float64 `json:"mape,omitempty"`
	SMAPE        *float64 `json:"smape,omitempty"`
	MASE         *float64 `json:"mase,omitempty"`
	Coverage80   *float64 `json:"coverage80,omitempty"`
	Coverage95   *float64 `json:"coverage95,omitempty"`
	Score80      *float64 `json:"score80,omitempty"`
	Score95      *float64 `json:"score95,omitempty"`
	DurbinWatson *float64 `json:"durbin_watson,omitempty"`
}

func accuracy(m backtest.Measures) *Accuracy {
	if m.Points == 0 {
		return nil
	}
	return &Accuracy{
		Points: m.Points, MAPE: finite(m.MAPE), SMAPE: finite(m.SMAPE), MASE: finite(m.MASE),
		Coverage80: finite(m.Coverage[0]), Coverage95: finite(m.Coverage[1]),
		Score80: finite(m.Score[0]), Score95: finite(m.Score[1]), DurbinWatson: finite(m.DW),
	}
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
