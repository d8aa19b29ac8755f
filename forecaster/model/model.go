// Package model is what every forecasting model has in common: its input, its output and
// the small interface between them. One package a model lies beside it.
package model

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// ErrShort means that a model needs more history than there is.
var ErrShort = errors.New("history is too short")

// Short makes an ErrShort that says how much is needed.
func Short(have, need int) error {
	return fmt.Errorf("%w: %d points, needs %d", ErrShort, have, need)
}

// Input is one series on a regular grid: Y[i] belongs to Start + i*Step. Y is finite
// throughout; package clean makes it so. A model must not change Y.
type Input struct {
	Y []float64
	// Seen is what was observed, with the outliers that were taken out of Y and NaN where a
	// gap was filled; nil: Y. Models learn from Y, errors are measured on Seen.
	Seen  []float64
	Start time.Time
	Step  time.Duration
	// Lower and Upper are what is physically possible, e.g. 0 and 1 for a ratio.
	// NaN means no bound.
	Lower, Upper float64
	Events       []Event
}

// Event is a known special period, e.g. a holiday or a monthly batch run. Occurrences of
// one name share one effect.
type Event struct {
	Name     string
	From, To time.Time
}

// Model makes forecasters of series. Implementations are values without state.
type Model interface {
	Name() string
	// Fit learns from in. An error of kind ErrShort sends the caller to a simpler model.
	Fit(in Input) (Fitted, error)
}

// Fitted is a model that has learnt one series.
type Fitted interface {
	// Forecast predicts the h steps after the input. levels are central coverages in
	// (0, 1), e.g. 0.8 and 0.95. The result's slices have length h and are the caller's.
	Forecast(h int, levels []float64) Forecast
}

// Forecast is a median and, per level, the bounds around it:
// Lower[l][i] <= Median[i] <= Upper[l][i], and wider levels contain narrower ones.
type Forecast struct {
	Median       []float64
	Levels       []float64
	Lower, Upper [][]float64
}

// Observed is Seen, or Y when cleaning changed nothing.
func (in Input) Observed() []float64 {
	if in.Seen != nil {
		return in.Seen
	}
	return in.Y
}

// Per is how many steps of in make up d, 0 when d is not a multiple of at least two steps.
func (in Input) Per(d time.Duration) int {
	if in.Step <= 0 || d%in.Step != 0 || d/in.Step < 2 {
		return 0
	}
	return int(d / in.Step)
}

// Bound clips v to the physical bounds.
func (in Input) Bound(v float64) float64 {
	if v < in.Lower {
		return in.Lower
	}
	if v > in.Upper {
		return in.Upper
	}
	return v
}

// Gaussian makes a Forecast from point forecasts and the standard deviation of each step,
// clipped to the bounds of in. It takes ownership of median.
func Gaussian(in Input, median []float64, sd func(i int) float64, levels []float64) Forecast {
	f := Forecast{Median: median, Levels: levels, Lower: make([][]float64, len(levels)), Upper: make([][]float64, len(levels))}
	for l, level := range levels {
		z := math.Sqrt2 * math.Erfinv(level)
		f.Lower[l], f.Upper[l] = make([]float64, len(median)), make([]float64, len(median))
		for i, m := range median {
			w := z * sd(i)
			f.Lower[l][i], f.Upper[l][i] = in.Bound(m-w), in.Bound(m+w)
		}
	}
	for i, m := range median {
		median[i] = in.Bound(m)
	}
	return f
}
