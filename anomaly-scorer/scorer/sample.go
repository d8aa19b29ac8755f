package scorer

import (
	"math"
	"math/rand/v2"
)

// rowSample keeps a fair sample of scores to measure how well they keep apart.
type rowSample struct {
	scores [2][]float64 // unflagged, flagged
	seen   [2]int
	rng    *rand.Rand
}

const sampleRows = 1000

func (s *rowSample) add(score float64, flagged bool) {
	if s.rng == nil {
		s.rng = rand.New(rand.NewPCG(3, 4))
	}
	k := 0
	if flagged {
		k = 1
	}
	s.seen[k]++
	if len(s.scores[k]) < sampleRows {
		s.scores[k] = append(s.scores[k], score)
	} else if i := s.rng.IntN(s.seen[k]); i < sampleRows {
		s.scores[k][i] = score
	}
}

// silhouette is the mean silhouette of the two groups by score, 0 when one is empty.
func (s *rowSample) silhouette() float64 { return Silhouette(s.scores[0], s.scores[1]) }

// Silhouette is the mean over all scores of (b-a)/max(a,b), a being the mean distance to
// the other scores of the same group and b that to the other group.
func Silhouette(x, y []float64) float64 {
	if len(x) == 0 || len(y) == 0 {
		return 0
	}
	sum := 0.0
	for _, g := range [][2][]float64{{x, y}, {y, x}} {
		for _, v := range g[0] {
			a, b := distance(v, g[0])*float64(len(g[0]))/math.Max(float64(len(g[0])-1), 1), distance(v, g[1])
			if m := math.Max(a, b); m > 0 && len(g[0]) > 1 {
				sum += (b - a) / m
			}
		}
	}
	return sum / float64(len(x)+len(y))
}

func distance(v float64, to []float64) float64 {
	sum := 0.0
	for _, t := range to {
		sum += math.Abs(v - t)
	}
	return sum / float64(len(to))
}
