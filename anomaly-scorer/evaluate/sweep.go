package evaluate

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"text/tabwriter"

	"github.com/inframind/inframind/anomaly-scorer/measure"
	"github.com/inframind/inframind/anomaly-scorer/scorer"
)

// Point is one contamination: the share of connections that would be flagged.
type Point struct {
	Contamination     float64
	Threshold         float64
	Precision, Recall float64 // NaN without labels
	Silhouette        float64
	Chosen            bool
}

// Sweep tries contaminations from low to high in steps. The chosen one has the highest
// F1 where there are labels, else the highest silhouette.
func Sweep(scores []float64, truth []bool, low, high, step float64) []Point {
	sorted := slices.Sorted(slices.Values(scores))
	var out []Point
	best, at := math.Inf(-1), -1
	for c := low; c <= high+step/2; c += step {
		p := Point{Contamination: c, Threshold: measure.Quantile(sorted, 1-c), Precision: math.NaN(), Recall: math.NaN()}
		var groups [2][]float64
		var tp, positives, flagged float64
		for i, s := range scores {
			k := 0
			if s >= p.Threshold {
				k = 1
				flagged++
			}
			groups[k] = append(groups[k], s)
			if truth != nil && truth[i] {
				positives++
				tp += float64(k)
			}
		}
		p.Silhouette = scorer.Silhouette(draw(groups[0]), draw(groups[1]))
		goal := p.Silhouette
		if truth != nil {
			p.Precision, p.Recall = tp/flagged, tp/positives
			goal = 2 * tp / (flagged + positives)
		}
		if goal > best {
			best, at = goal, len(out)
		}
		out = append(out, p)
	}
	if at >= 0 {
		out[at].Chosen = true
	}
	return out
}

// draw takes at most a thousand, at random but always the same: silhouettes cost the
// square of their number.
func draw(v []float64) []float64 {
	const most = 1000
	if len(v) <= most {
		return v
	}
	rng := rand.New(rand.NewPCG(5, 6))
	out := make([]float64, most)
	for i := range out {
		out[i] = v[rng.IntN(len(v))]
	}
	return out
}

// Scores returns the scores and labels of a report. Unusual is the forest's part alone.
func (r *Report) Scores() (scores, unusual []float64, truth []bool) {
	return r.scores, r.unusual, r.truth
}

// PrintSweep writes the points as a table.
func PrintSweep(w io.Writer, points []Point) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "CONTAMINATION\tTHRESHOLD\tPRECISION\tRECALL\tSILHOUETTE\t")
	for _, p := range points {
		mark := ""
		if p.Chosen {
			mark = "<- chosen"
		}
		fmt.Fprintf(t, "%.3f\t%.4f\t%s\t%s\t%.3f\t%s\n", p.Contamination, p.Threshold, ratio(p.Precision), ratio(p.Recall), p.Silhouette, mark)
	}
	return t.Flush()
}

func ratio(v float64) string {
	if math.IsNaN(v) {
		return "-"
	}
	return fmt.Sprintf("%.3f", v)
}

// WriteSweepCSV writes the points as CSV.
func WriteSweepCSV(w io.Writer, points []Point) error {
	c := csv.NewWriter(w)
	rows := [][]string{{"contamination", "threshold", "precision", "recall", "silhouette", "chosen"}}
	for _, p := range points {
		rows = append(rows, []string{num(p.Contamination), num(p.Threshold), num(p.Precision), num(p.Recall), num(p.Silhouette), strconv.FormatBool(p.Chosen)})
	}
	if err := c.WriteAll(rows); err != nil {
		return fmt.Errorf("write sweep: %w", err)
	}
	return nil
}

func num(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', 6, 64)
}
