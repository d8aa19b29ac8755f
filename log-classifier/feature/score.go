package feature

import "math"

// Heads is how many weights each bucket has.
const Heads = 3

// Sum is the weights of some features added up.
type Sum struct {
	Z      [Heads]float32
	N      int32 // features
	Unseen int32 // of them without a weight
}

func (s *Sum) add(w []float32, j uint32) {
	r := w[int(j)*Heads : int(j)*Heads+Heads]
	s.Z[0] += r[0]
	s.Z[1] += r[1]
	s.Z[2] += r[2]
	s.N++
	if r[0] == 0 && r[1] == 0 && r[2] == 0 {
		s.Unseen++
	}
}

func (s *Sum) join(o Sum, scale float32) {
	for h := range s.Z {
		s.Z[h] += o.Z[h] * scale
	}
	s.N += o.N
	s.Unseen += o.Unseen
}

// wordSums are the sums of what depends on one word only.
type wordSums struct{ plain, name, first, last, stem Sum }

// Score returns the sum of w (Dim buckets of Heads weights) over the features of a masked
// line, each times its value: what Extract and a multiplication give, without the vector.
// Most features are about one word, so that their sums are remembered by word. An
// extractor scores with one w only.
func (x *Extractor) Score(masked []byte, w []float32) Sum {
	x.Split(masked)
	x.w = w
	blocks := [Blocks]func(masked []byte){x.scoreWords, x.scoreStems, x.lexBlock, x.shapeBlock}
	var all Sum
	for b, fill := range blocks {
		if x.opt.Scale[b] == 0 {
			continue
		}
		x.sum = Sum{}
		fill(masked)
		if x.sum.N > 0 {
			all.join(x.sum, x.opt.Scale[b]/float32(math.Sqrt(float64(x.sum.N))))
		}
	}
	x.w = nil
	return all
}

// of returns the sums of a word.
func (x *Extractor) of(w *word) *wordSums {
	s := &w.sums
	if w.scored {
		return s
	}
	s.plain.add(x.w, bucket('w', w.hash))
	s.name.add(x.w, bucket('i', w.hash))
	s.first.add(x.w, bucket('f', w.hash))
	s.last.add(x.w, bucket('l', w.hash))
	s.stem.add(x.w, bucket('s', w.wordInfo.stem))
	w.scored = true
	return s
}

func (x *Extractor) scoreWords([]byte) {
	ws, w := x.words, x.w
	var sum Sum // not in x: it stays in registers
	for i := range ws {
		s := x.of(&ws[i])
		if ws[i].inName {
			sum.join(s.name, 1)
		} else {
			sum.join(s.plain, 1)
		}
		if i > 0 {
			sum.add(w, bucket('b', mix(ws[i-1].hash, ws[i].hash)))
		}
	}
	if n := len(ws); n > 0 {
		sum.join(x.of(&ws[0]).first, 1)
		sum.join(x.of(&ws[n-1]).last, 1)
	}
	x.sum = sum
}

func (x *Extractor) scoreStems([]byte) {
	ws, w := x.words, x.w
	var sum Sum
	for i := range ws {
		sum.join(x.of(&ws[i]).stem, 1)
		if i > 0 {
			sum.add(w, bucket('t', mix(ws[i-1].wordInfo.stem, ws[i].wordInfo.stem)))
		}
	}
	x.sum = sum
}
