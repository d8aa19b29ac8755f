// Package measure computes how well scores separate what is labelled: area under the ROC
// curve, average precision, detection and false positive rates, silhouette.
package measure

import (
	"math"
	"slices"
)

// ranked returns the indices of scores from high to low.
func ranked(scores []float64) []int {
	idx := make([]int, len(scores))
	for i := range idx {
		idx[i] = i
	}
	slices.SortFunc(idx, func(a, b int) int {
		switch {
		case scores[a] > scores[b]:
			return -1
		case scores[a] < scores[b]:
			return 1
		}
		return 0
	})
	return idx
}

// AUROC is the probability that a positive scores higher than a negative, ties counting
// half. It is NaN when one of the classes is empty.
func AUROC(scores []float64, positive []bool) float64 {
	idx := ranked(scores)
	var pos, neg, area float64
	for i := 0; i < len(idx); {
		var p, n float64
		j := i
		for ; j < len(idx) && scores[idx[j]] == scores[idx[i]]; j++ {
			if positive[idx[j]] {
				p++
			} else {
				n++
			}
		}
		area += n * (pos + p/2)
		pos, neg, i = pos+p, neg+n, j
	}
	if pos == 0 || neg == 0 {
		return math.NaN()
	}
	return area / (pos * neg)
}

// AveragePrecision is the mean precision at the rank of each positive, tied scores taken
// as one step (scikit-learn's average_precision_score). NaN without positives.
func AveragePrecision(scores []float64, positive []bool) float64 {
	idx := ranked(scores)
	var pos, seen, sum float64
	for i := 0; i < len(idx); {
		var p float64
		j := i
		for ; j < len(idx) && scores[idx[j]] == scores[idx[i]]; j++ {
			if positive[idx[j]] {
				p++
			}
		}
		seen += float64(j - i)
		pos += p
		sum += p * pos / seen
		i = j
	}
	if pos == 0 {
		return math.NaN()
	}
	return sum / pos
}

// Rates returns the share of positives and of negatives that are flagged.
func Rates(flagged, positive []bool) (detected, falsePositive float64) {
	var tp, p, fp, n float64
	for i, f := range flagged {
		switch {
		case positive[i]:
			p++
			if f {
				tp++
			}
		default:
			n++
			if f {
				fp++
			}
		}
	}
	return tp / p, fp / n
}

// Quantile is the q-quantile of sorted values by linear interpolation; NaN when empty.
func Quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	pos := q * float64(len(sorted)-1)
	lo := int(pos)
	hi := min(lo+1, len(sorted)-1)
	return sorted[lo] + (pos-float64(lo))*(sorted[hi]-sorted[lo])
}
