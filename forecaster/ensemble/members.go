package ensemble

import (
	"github.com/inframind/inframind/forecaster/ets"
	"github.com/inframind/inframind/forecaster/profilear"
	"github.com/inframind/inframind/forecaster/stat"
	"github.com/inframind/inframind/forecaster/theta"
	"github.com/inframind/inframind/forecaster/trend"
)

// member is one model of the ensemble. run makes point forecasts in the origin's space;
// false when it cannot. prior scales its weight: how far it is trusted beyond what the
// backtest of one series can show. bursty members suit series that rest at a base level
// most of the time.
type member struct {
	name   string
	prior  float64
	bursty bool
	naive  bool
	run    func(o *profilear.Origin, out []float64) bool
}

func members() []member {
	return []member{
		{name: "profile-ar", prior: 1, run: profilear.Long},
		{name: "profile-ar-short", prior: 1, run: profilear.Short},
		{name: "diff-ar", prior: 1, run: profilear.Diff},
		{name: "naive-daily", prior: 0.2, bursty: true, naive: true, run: daily},
		{name: "naive-weekly", prior: 0.2, bursty: true, naive: true, run: weekly},
		{name: "level", prior: 0.2, run: ets.Level},
		{name: "theta", prior: 0.1, run: theta.Extend},
		{name: "ets", prior: 0.1, run: ets.Damped},
		{name: "trend", prior: 0.1, run: trend.Extend},
		{name: "profile", prior: 0.2, run: flatProfile},
		{name: "slot-median", prior: 0.2, bursty: true, run: slotMedian},
		{name: "recent-median", prior: 0.2, bursty: true, run: recentMedian},
		{name: "median", prior: 0.2, bursty: true, run: median},
	}
}

func daily(o *profilear.Origin, out []float64) bool  { return repeat(o, o.Day, out) }
func weekly(o *profilear.Origin, out []float64) bool { return repeat(o, 7*o.Day, out) }

func repeat(o *profilear.Origin, m int, out []float64) bool {
	n := len(o.Z)
	if n < m {
		return false
	}
	for h := range out {
		out[h] = o.Z[n-m+h%m]
	}
	return true
}

// flatProfile is the profile around the mean of the whole history.
func flatProfile(o *profilear.Origin, out []float64) bool {
	clear(out)
	o.Restore(out)
	return true
}

// slotMedian is the median of the last week at each time of day.
func slotMedian(o *profilear.Origin, out []float64) bool {
	n := len(o.Z)
	days := min(n/o.Day, 7)
	if days < 3 {
		return false
	}
	buf := make([]float64, days)
	slot := make([]float64, o.Day)
	for k := range slot {
		for d := range days {
			buf[d] = o.Z[n-(d+1)*o.Day+k]
		}
		slot[k] = stat.MedianInPlace(buf)
	}
	for h := range out {
		out[h] = slot[h%o.Day]
	}
	return true
}

// recentMedian is the profile around the median of the last three days.
func recentMedian(o *profilear.Origin, out []float64) bool {
	n := len(o.A)
	if n < 3*o.Day {
		return false
	}
	fill(out, stat.Median(o.A[n-3*o.Day:]))
	o.Restore(out)
	return true
}

// median of everything: what a series without structure is best forecast by.
func median(o *profilear.Origin, out []float64) bool {
	fill(out, stat.Median(o.Z))
	return true
}

func fill(out []float64, v float64) {
	for h := range out {
		out[h] = v
	}
}
