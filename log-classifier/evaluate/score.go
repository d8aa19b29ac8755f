package evaluate

import (
	"math"

	"github.com/inframind/inframind/log-classifier/label"
)

// Confusion counts predictions: by true category, then by predicted one.
type Confusion [label.Count][label.Count]float64

// Add counts one prediction with a weight.
func (m *Confusion) Add(truth, got label.Category, weight float64) { m[truth][got] += weight }

// Total is how many predictions were counted.
func (m *Confusion) Total() float64 {
	n := 0.0
	for _, row := range m {
		for _, v := range row {
			n += v
		}
	}
	return n
}

// Class returns precision, recall and F1 of one category; NaN where undefined.
func (m *Confusion) Class(c label.Category) (precision, recall, f1 float64) {
	var got, truth float64
	for k := range m {
		got += m[k][c]
		truth += m[c][k]
	}
	return rates(m[c][c], got, truth)
}

func rates(hit, got, truth float64) (precision, recall, f1 float64) {
	precision, recall = hit/got, hit/truth
	if got+truth == 0 {
		return precision, recall, math.NaN()
	}
	return precision, recall, 2 * hit / (got + truth)
}

// Macro is the mean F1 of the categories that occur.
func (m *Confusion) Macro() float64 {
	sum, n := 0.0, 0.0
	for c := range label.Category(label.Count) {
		if _, _, f1 := m.Class(c); !math.IsNaN(f1) {
			sum += f1
			n++
		}
	}
	return sum / n
}

// Alarm returns precision, recall and F1 of critical and warning together against the rest.
func (m *Confusion) Alarm() (precision, recall, f1 float64) {
	var hit, got, truth float64
	for t := range label.Category(label.Count) {
		for g := range label.Category(label.Count) {
			v := m[t][g]
			if t.Alarm() {
				truth += v
			}
			if g.Alarm() {
				got += v
			}
			if t.Alarm() && g.Alarm() {
				hit += v
			}
		}
	}
	return rates(hit, got, truth)
}

// Bin is one bar of a reliability diagram.
type Bin struct{ Count, Confidence, Accuracy float64 }

// Reliability collects how often predictions of a confidence are right, in ten bins.
type Reliability struct{ count, conf, right [10]float64 }

// Add counts one prediction.
func (r *Reliability) Add(confidence float64, right bool, weight float64) {
	b := min(int(confidence*10), 9)
	r.count[b] += weight
	r.conf[b] += weight * confidence
	if right {
		r.right[b] += weight
	}
}

// Bins returns the diagram; empty bins have a Count of 0.
func (r *Reliability) Bins() (out [10]Bin) {
	for b := range out {
		if r.count[b] > 0 {
			out[b] = Bin{r.count[b], r.conf[b] / r.count[b], r.right[b] / r.count[b]}
		}
	}
	return out
}

// ECE is the expected calibration error: the mean distance of confidence and accuracy.
func (r *Reliability) ECE() float64 {
	var sum, n float64
	for _, b := range r.Bins() {
		sum += b.Count * math.Abs(b.Confidence-b.Accuracy)
		n += b.Count
	}
	if n == 0 {
		return 0
	}
	return sum / n
}
