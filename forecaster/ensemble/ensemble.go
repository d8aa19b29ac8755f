// Package ensemble combines the models with weights that come from rolling backtests of
// the series itself, and calibrates its intervals on the same backtests.
//
// Models work on an hourly grid; finer data are averaged to it and the pattern within the
// hour and the day is put back. Intervals are those of the single points of the data.
package ensemble

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/inframind/inframind/forecaster/clean"
	"github.com/inframind/inframind/forecaster/model"
	"github.com/inframind/inframind/forecaster/naive"
	"github.com/inframind/inframind/forecaster/profilear"
	"github.com/inframind/inframind/forecaster/stat"
)

// Model is the ensemble as a model.
type Model struct {
	// Horizon is how many steps of the input the backtest looks ahead, bounded by what its
	// origins can see; 0 is a week.
	Horizon int
	// Saved skips the backtest and takes what an earlier one found.
	Saved *State
	// InService is the state that a new backtest has to do as well as; if it does worse,
	// InService stays and the report says so.
	InService *State
}

// State is what is kept of a backtest until the next one.
type State struct {
	Weights []Rounded `json:"weights"` // by bucket and member
	Spread  Spread    `json:"spread"`
	Chosen  string    `json:"chosen"`
}

// Name is "ensemble".
func (Model) Name() string { return "ensemble" }

// Fitted is an ensemble that has learnt one series.
type Fitted struct {
	in      model.Input
	per     int // input steps in one of the grid
	day     int // grid steps a day
	phase   int // input steps left out at the start, to end on a full grid step
	y, z    []float64
	space   profilear.Space
	bursty  bool
	shift   clean.Shift
	effects map[string][]float64 // of events, in the space, by steps since they began
	events  []float64            // their sum on the grid; nil: none
	within  []float64            // pattern within the day at the input's resolution
	final   *profilear.Origin

	use     []member
	weights [nBuckets][]float64
	spread  Spread
	report  Report
	sorted  []float64 // the observed values in order
	short   model.Fitted
}

// Fit learns from in. Histories too short for a backtest are left to a naive model, and
// the report says so.
func (m Model) Fit(in model.Input) (model.Fitted, error) {
	f := &Fitted{in: in, per: 1}
	if len(in.Y) < 2 {
		return nil, model.Short(len(in.Y), 2)
	}
	if in.Step > 0 && in.Step < time.Hour && time.Hour%in.Step == 0 {
		f.per = int(time.Hour / in.Step)
	}
	grid := in
	grid.Step *= time.Duration(f.per)
	f.day = grid.Per(24 * time.Hour)
	if f.day == 0 && grid.Step == 24*time.Hour {
		f.day = 7 // of daily data, the week is the season
	}
	if f.day == 0 || len(in.Y)/f.per < (firstDays+minTrials)*f.day {
		return f, f.fitShort()
	}
	f.prepare()
	horizon := m.Horizon
	if horizon <= 0 {
		horizon = 7 * f.day * f.per
	}
	f.train(m.Saved, m.InService, (horizon+f.per-1)/f.per)
	return f, nil
}

// fitShort uses the best naive model that the history allows.
func (f *Fitted) fitShort() error {
	for _, m := range []model.Model{naive.Seasonal{Period: 7 * 24 * time.Hour}, naive.Seasonal{Period: 24 * time.Hour}, naive.Drift{}} {
		fit, err := m.Fit(f.in)
		if err == nil && (m.Name() == "drift" || len(f.in.Y) >= 2*f.in.Per(24*time.Hour)) {
			f.short = fit
			f.report = Report{Chosen: m.Name(), Reason: fmt.Sprintf("history of %s is too short for a backtest", time.Duration(len(f.in.Y))*f.in.Step)}
			return nil
		}
	}
	return model.Short(len(f.in.Y), 2)
}

// prepare makes the grid, chooses the space and lifts what lies before a level shift.
func (f *Fitted) prepare() {
	f.phase = len(f.in.Y) % f.per
	fine := f.in.Y[f.phase:]
	f.sorted = slices.DeleteFunc(slices.Clone(f.in.Observed()), notFinite)
	slices.Sort(f.sorted)
	f.bursty = isBursty(f.sorted)
	f.y = coarse(fine, f.per, f.bursty)
	f.space = profilear.ChooseSpace(fine)
	f.z = make([]float64, len(f.y))
	for i, v := range f.y {
		f.z[i] = f.space.In(v)
	}
	f.final = profilear.Prepare(f.y, f.z, f.day, f.space)
	if len(f.in.Events) > 0 {
		f.learnEvents()
		f.final = profilear.Prepare(f.y, f.z, f.day, f.space)
	}
	if s, ok := clean.FindShift(f.final.A, f.day); ok && !f.bursty {
		f.shift = clean.Shift{At: s.At, Size: s.Size * f.final.SD}
		f.y = slices.Clone(f.y)
		for i := range s.At {
			f.z[i] += f.shift.Size
			f.y[i] = f.space.Out(f.z[i])
		}
		f.final = profilear.Prepare(f.y, f.z, f.day, f.space)
	}
	f.within = f.pattern(fine)
}

// coarse makes one point of per: their mean, for bursty series their median, which stays
// at the base level through a burst.
func coarse(fine []float64, per int, bursty bool) []float64 {
	if bursty {
		return stat.Blocks(fine, per)
	}
	out := make([]float64, len(fine)/per)
	for i := range out {
		for _, v := range fine[i*per : (i+1)*per] {
			out[i] += v / float64(per)
		}
	}
	return out
}

const (
	burstShare = 0.3 // of zeros
	burstRatio = 2   // of mean to median
)

// isBursty tells series that rest at a base level and peak now and then by their sorted
// values.
func isBursty(sorted []float64) bool {
	if sorted[0] < 0 {
		return false
	}
	zeros, _ := slices.BinarySearch(sorted, math.SmallestNonzeroFloat64)
	mean, _ := stat.Moments(sorted)
	return float64(zeros) > burstShare*float64(len(sorted)) || mean > burstRatio*sorted[len(sorted)/2]
}

// fineZ is point i of the input, after the phase, in the space and with events and the
// shift undone.
func (f *Fitted) fineZ(fine []float64, i int) float64 {
	v := f.space.In(fine[i])
	if f.events != nil {
		v -= f.events[i/f.per]
	}
	if i/f.per < f.shift.At {
		v += f.shift.Size
	}
	return v
}

// pattern is what points differ from their grid step's value, by time of day: the median
// over all, and the mean of each slot shrunk by its noise.
func (f *Fitted) pattern(fine []float64) []float64 {
	if f.per == 1 {
		return []float64{0}
	}
	m := f.day * f.per
	d := make([]float64, len(fine))
	for i := range d {
		d[i] = f.fineZ(fine, i) - f.z[i/f.per]
	}
	mid := stat.Median(d)
	mean, total := stat.Moments(d)
	out := make([]float64, m)
	var between, count float64
	for k := range out {
		c := 0.0
		for i := k; i < len(d); i += m {
			out[k] += d[i]
			c++
		}
		out[k] = out[k]/c - mean
		between += out[k] * out[k] / float64(m)
		count += c / float64(m)
	}
	noise := total * total / count
	shrink := 0.0
	if between > noise {
		shrink = (between - noise) / between
	}
	for k := range out {
		out[k] = mid + shrink*out[k]
	}
	return out
}

// train finds the weights and the spread, by backtest or from what was saved.
func (f *Fitted) train(saved, inService *State, horizon int) {
	for _, m := range members() {
		if !f.bursty || m.bursty {
			f.use = append(f.use, m)
		}
	}
	if saved.fits(len(f.use), f.day) {
		f.take(saved)
		f.report = f.describe(false, false)
		return
	}
	trials := f.roll(f.use, horizon)
	f.learn(trials, maxResiduals)
	f.spread.Grow = min(f.levelGrowth(), f.spread.walk())
	measures := f.measure(trials, func(then *Fitted, past []trial) { then.learn(past, maxResiduals/20) })
	kept := inService.fits(len(f.use), f.day) && f.worse(trials, inService)
	if kept {
		f.take(inService)
	}
	f.report = f.describe(true, kept)
	f.report.Measures = measures
	f.spread.compact()
}

// keepMargin is how much worse, by its 80 % interval score, a new state may be than the
// one in service.
const keepMargin = 1.05

// worse compares what was learnt from trials with the state in service on these trials.
// Both know them, but for the last day: a new state that does worse all the same is of no
// use.
func (f *Fitted) worse(trials []trial, inService *State) bool {
	ours := f.measure(trials, func(*Fitted, []trial) {})
	theirs := f.measure(trials, func(then *Fitted, _ []trial) { then.take(inService) })
	return ours.Points > 0 && ours.Score[0] > keepMargin*theirs.Score[0]
}

// take uses the weights and the spread of s.
func (f *Fitted) take(s *State) {
	for b := range f.weights {
		f.weights[b] = s.Weights[b]
	}
	f.spread = s.Spread
}

// learn takes weights and spread from trials, with at most about most errors.
func (f *Fitted) learn(trials []trial, most int) {
	mae, total := f.scores(f.use, trials)
	f.weights = weigh(f.use, mae, total)
	steps := 0
	for _, t := range trials {
		steps += t.steps()
	}
	stride := max(steps*f.per/most, 1)
	res := make([]residual, 0, steps*f.per/stride+len(trials))
	fine := f.in.Observed()[f.phase:]
	for _, t := range trials {
		mixed := f.mix(t.fc, t.steps())
		for i := 0; i < len(mixed)*f.per; i += stride {
			at := t.at*f.per + i
			if u := f.fineZ(fine, at) - mixed[i/f.per] - f.within[at%len(f.within)]; !math.IsNaN(u) {
				res = append(res, residual{i / f.per, u})
			}
		}
	}
	f.spread = calibrate(res, f.day, len(trials), steps)
	f.spread.Regular = f.bursty && regular(f.use, total)
}

// regularShare is the error of a naive forecast, of that of the median, under which bursts
// come at known times.
const regularShare = 0.7

// regular tells whether the bursts of a bursty series repeat by the day or the week.
func regular(use []member, total []float64) bool {
	naive, flat := math.Inf(1), math.Inf(1)
	for m, e := range total {
		switch {
		case use[m].naive:
			naive = min(naive, e)
		case use[m].name == "median":
			flat = e
		}
	}
	return naive < regularShare*flat
}

// maxResiduals bounds the work on data far finer than the grid.
const maxResiduals = 20000

func (s *State) fits(members, day int) bool {
	if s == nil || len(s.Weights) != nBuckets || s.Spread.Day != day || len(s.Spread.Scale) == 0 {
		return false
	}
	return !slices.ContainsFunc(s.Weights, func(w Rounded) bool { return len(w) != members })
}

// State is what a later Fit may take instead of a backtest; nil for short histories.
func (f *Fitted) State() *State {
	if f.short != nil {
		return nil
	}
	s := &State{Spread: f.spread, Chosen: f.report.Chosen}
	for _, w := range f.weights {
		s.Weights = append(s.Weights, w)
	}
	return s
}

// levelGrowth is the variance that the daily level gains a day, in squared mean errors:
// the long-run variance of its changes.
func (f *Fitted) levelGrowth() float64 {
	days := stat.Blocks(f.final.A, f.day)
	if len(days) < 4 {
		return 0
	}
	d := make([]float64, len(days)-1)
	for i := range d {
		d[i] = (days[i+1] - days[i]) * f.final.SD
	}
	mean, sd := stat.Moments(d)
	g1 := 0.0
	for i := 1; i < len(d); i++ {
		g1 += (d[i] - mean) * (d[i-1] - mean) / float64(len(d))
	}
	const meanToVariance = 2 / math.Pi // of normal errors: (mean |e|)^2 over variance
	return meanToVariance * max(sd*sd+2*g1, 0.05*sd*sd)
}
