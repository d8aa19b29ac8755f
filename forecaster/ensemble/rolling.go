package ensemble

import (
	"cmp"
	"math"
	"slices"

	"github.com/inframind/inframind/forecaster/profilear"
)

// bucketEnds are the horizons, in steps of the coarse grid at hourly resolution, between
// which weights are constant. The last one goes on for ever.
var bucketEnds = [...]int{6, 24, 48, 168, math.MaxInt}

const (
	nBuckets    = len(bucketEnds)
	shortTrials = 7  // origins of the backtest for horizons of up to two days
	longTrials  = 10 // for longer ones
	minTrials   = 3
	firstDays   = 4   // of history before the first origin
	discount    = 0.8 // weight of an origin against the one a day later
	gateMargin  = 1.1 // of the naive error: what a backtest of days cannot tell apart
	power       = 4   // of the inverse error in the weights
)

// bucket of step h on a grid of day steps a day.
func bucket(h, day int) int {
	at := h * 24 / day
	for b, end := range bucketEnds {
		if at < end {
			return b
		}
	}
	return nBuckets - 1
}

// trial is the forecasts of all members from one origin in the past.
type trial struct {
	at int         // the origin: the first step to forecast
	fc [][]float64 // by member; nil when it could not
}

// steps is how far the trial looks ahead.
func (t trial) steps() int {
	n := 0
	for _, fc := range t.fc {
		n = max(n, len(fc))
	}
	return n
}

// roll forecasts from origins one day apart, the newest first.
func (f *Fitted) roll(use []member, horizon int) []trial {
	n, day := len(f.z), f.day
	count := shortTrials
	if horizon > 2*day {
		count = longTrials
	}
	var out []trial
	for j := 1; j <= count && n-j*day >= firstDays*day; j++ {
		at := n - j*day
		o := profilear.Prepare(f.y[:at], f.z[:at], day, f.space)
		t := trial{at: at, fc: make([][]float64, len(use))}
		for m, mem := range use {
			buf := make([]float64, min(horizon, n-at))
			if mem.run(o, buf) && !slices.ContainsFunc(buf, notFinite) {
				t.fc[m] = buf
			}
		}
		out = append(out, t)
	}
	return out
}

func notFinite(v float64) bool { return v-v != 0 }

// scores are the discounted mean absolute errors by bucket and member, and over all
// buckets; NaN: unknown. Those of bursty series count in the data's own units: in
// logarithms, errors at the base level would outweigh all others.
func (f *Fitted) scores(use []member, trials []trial) (mae [nBuckets][]float64, total []float64) {
	var cnt [nBuckets][]float64
	for b := range mae {
		mae[b], cnt[b] = make([]float64, len(use)), make([]float64, len(use))
	}
	for j, t := range trials {
		w := math.Pow(discount, float64(j))
		for m, fc := range t.fc {
			for h, v := range fc {
				e := v - f.z[t.at+h]
				if f.bursty {
					e = f.space.Out(v) - f.y[t.at+h]
				}
				b := bucket(h, f.day)
				mae[b][m] += w * math.Abs(e)
				cnt[b][m] += w
			}
		}
	}
	total = make([]float64, len(use))
	for m := range use {
		sum, n := 0.0, 0.0
		for b := range mae {
			sum, n = sum+mae[b][m], n+cnt[b][m]
			switch {
			case cnt[b][m] > 0:
				mae[b][m] /= cnt[b][m]
			case b > 0:
				mae[b][m] = mae[b-1][m] // the nearest that was measured
			default:
				mae[b][m] = math.NaN()
			}
		}
		total[m] = sum / n
	}
	return mae, total
}

// weigh turns errors into weights. The naive gate: a model that does not beat the best
// naive forecast over the whole backtest is not used.
func weigh(use []member, mae [nBuckets][]float64, total []float64) [nBuckets][]float64 {
	naive := math.Inf(1)
	for m, e := range total {
		if use[m].naive && e < naive {
			naive = e
		}
	}
	var out [nBuckets][]float64
	for b := range mae {
		best := math.Inf(1)
		for _, e := range mae[b] {
			if e < best {
				best = e
			}
		}
		w := make([]float64, len(use))
		sum := 0.0
		for m, e := range mae[b] {
			if e != e || !use[m].naive && total[m] >= naive*gateMargin {
				continue
			}
			switch {
			case best > 0:
				w[m] = use[m].prior * math.Pow(e/best, -power)
			case e == 0:
				w[m] = use[m].prior
			}
			sum += w[m]
		}
		for m := range w {
			w[m] /= max(sum, math.SmallestNonzeroFloat64)
		}
		out[b] = w
	}
	return out
}

// mix combines forecasts: the weighted mean, for bursty series the weighted median, which
// stays at the base level when most members do.
func (f *Fitted) mix(fc [][]float64, h int) []float64 {
	out := make([]float64, h)
	order := make([]int, 0, len(fc))
	for i := range out {
		w := f.weights[bucket(i, f.day)]
		sum, total := 0.0, 0.0
		order = order[:0]
		for m := range fc {
			if fc[m] != nil && w[m] > 0 {
				sum += w[m] * fc[m][i]
				total += w[m]
				order = append(order, m)
			}
		}
		switch {
		case total == 0:
			out[i] = f.z[len(f.z)-1]
		case !f.bursty:
			out[i] = sum / total
		default:
			slices.SortFunc(order, func(a, b int) int { return cmp.Compare(fc[a][i], fc[b][i]) })
			acc := 0.0
			for _, m := range order {
				if acc += w[m]; acc >= total/2 {
					out[i] = fc[m][i]
					break
				}
			}
		}
	}
	return out
}
