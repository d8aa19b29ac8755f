package model

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	mathbits "math/bits"
	"slices"

	"github.com/inframind/inframind/log-classifier/feature"
	"github.com/inframind/inframind/log-classifier/label"
	"github.com/inframind/inframind/log-classifier/token"
)

// Neighbour is a labelled example that speaks for its category of lines that share words
// with it.
type Neighbour struct {
	Category label.Category
	Message  string
	Vote     [Heads]float32 // how much it counts in each question
}

// Neighbours finds the examples nearest to a line: the cosine of their sets of words, each
// weighed by the root of its inverse document frequency. A linear model adds up what words
// mean anywhere; neighbours know what they mean together.
type Neighbours struct {
	examples []Neighbour
	word     map[uint64]int32 // by hash; the most common word is 0
	idf      []float32        // of each word
	rare     float32          // of a word that no example has
	from     []int32          // where the examples of each word start in post
	post     []int32
	at       []place // of each example
}

// place is what is looked at of every example that shares a word with a line. It lies
// together, as a search waits for memory most of its time.
type place struct {
	common  [common / 64]uint64 // which of the most common words it has
	inverse float32             // of its length
}

const (
	nearest   = 15   // examples that vote, by the fifth power of their cosine
	nearDoubt = 1e-3 // votes for either answer that are there before any example's
	minVote   = 0.05 // of the weight an example has in training
	common    = 128  // words that are looked up by a bit; examples that share no other are not looked at
	maxRead   = 400  // examples that are, of a line with common words only
)

// voteOf is how much an example with weights w in training counts as a neighbour.
func voteOf(w [Heads]float64) (v [Heads]float32) {
	for h := range w {
		v[h] = float32(math.Sqrt(max(w[h], minVote)))
	}
	return v
}

// wordsOf returns the hashes of the distinct words of each example.
func wordsOf(examples []Neighbour) [][]uint64 {
	mask, ex := token.NewMasker(), feature.New(feature.Options{})
	out := make([][]uint64, len(examples))
	for i, e := range examples {
		ex.Split(mask.Mask(e.Message))
		out[i] = ex.Hashes(nil)
	}
	return out
}

// newNeighbours indexes examples with the words of each.
func newNeighbours(examples []Neighbour, words [][]uint64) *Neighbours {
	n := &Neighbours{examples: examples, at: make([]place, len(examples))}
	n.number(words)
	for i, ws := range words {
		sum := float32(1e-6)
		for _, h := range ws {
			w := n.word[h]
			sum += n.idf[w]
			if w < common {
				n.at[i].common[w/64] |= 1 << (w % 64)
			}
		}
		n.at[i].inverse = 1 / float32(math.Sqrt(float64(sum)))
	}
	n.list(words)
	return n
}

// number gives each word its number, by how many examples have it, and its weight.
func (n *Neighbours) number(words [][]uint64) {
	df := map[uint64]int32{}
	for _, ws := range words {
		for _, h := range ws {
			df[h]++
		}
	}
	hashes := slices.SortedFunc(maps.Keys(df), func(a, b uint64) int {
		return cmp.Or(cmp.Compare(df[b], df[a]), cmp.Compare(a, b))
	})
	all := math.Log(float64(len(words) + 1))
	n.word, n.rare, n.from = make(map[uint64]int32, len(df)), float32(all), make([]int32, len(df)+1)
	for w, h := range hashes {
		n.word[h] = int32(w)
		n.idf = append(n.idf, float32(all-math.Log(float64(df[h])+1)+1e-6))
		n.from[w+1] = n.from[w] + df[h]
	}
}

// list fills the lists of examples of each word, the shortest examples first: they are
// nearest to a line that shares only this word.
func (n *Neighbours) list(words [][]uint64) {
	order := make([]int32, len(n.examples))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(n.at[b].inverse, n.at[a].inverse) })
	n.post = make([]int32, n.from[len(n.idf)])
	next := slices.Clone(n.from)
	for _, i := range order {
		for _, h := range words[i] {
			w := n.word[h]
			n.post[next[w]] = i
			next[w]++
		}
	}
}

// with returns the examples that have word w.
func (n *Neighbours) with(w int32) []int32 { return n.post[n.from[w]:n.from[w+1]] }

// hit is an example and its cosine to the line.
type hit struct {
	example int32
	cosine  float32
}

// search looks for neighbours. It holds scratch space: make one per goroutine.
type search struct {
	n       *Neighbours
	query   []int32   // known words of the line, the most common one first
	weight  []float32 // of each word that the line has
	sum     []float32 // shared weight of each example, common words left out
	touched []int32   // examples with a sum
	top     []hit     // nearest first
}

func newSearch(n *Neighbours) *search {
	return &search{n: n, weight: make([]float32, len(n.idf)), sum: make([]float32, len(n.examples))}
}

// find returns the examples nearest to a line with distinct words of these hashes, nearest
// first.
func (s *search) find(words []uint64) []hit {
	n, scale := s.n, s.ask(words)
	bits, most := s.read()
	s.top = s.top[:0]
	for _, i := range s.touched {
		at := &n.at[i]
		sum := s.sum[i]
		s.sum[i] = 0
		if len(s.top) == nearest && (sum+most)*scale*at.inverse <= s.top[nearest-1].cosine {
			continue
		}
		for k, b := range bits {
			for b &= at.common[k]; b != 0; b &= b - 1 {
				sum += s.weight[64*k+mathbits.TrailingZeros64(b)]
			}
		}
		s.keep(hit{i, sum * scale * at.inverse})
	}
	for _, w := range s.query {
		s.weight[w] = 0
	}
	return s.top
}

// ask takes in the words of a line and returns the inverse of its length.
func (s *search) ask(words []uint64) (scale float32) {
	sum := float32(1e-6)
	s.query = s.query[:0]
	for _, h := range words {
		w, ok := s.n.word[h]
		if !ok {
			sum += s.n.rare
			continue
		}
		sum += s.n.idf[w]
		s.weight[w] = s.n.idf[w]
		s.query = append(s.query, w)
	}
	slices.Sort(s.query)
	return 1 / float32(math.Sqrt(float64(sum)))
}

// read adds up the words of the query by example, but those that are looked up by bits, whose
// weight is at most another most.
func (s *search) read() (bits [common / 64]uint64, most float32) {
	s.touched = s.touched[:0]
	for _, w := range slices.Backward(s.query) {
		post, weight := s.n.with(w), s.n.idf[w]
		if w < common && len(s.touched) > 0 {
			bits[w/64] |= 1 << (w % 64)
			most += weight
			continue
		}
		if w < common { // there are common words only; whatever is found has this one
			post = post[:min(len(post), maxRead)]
		}
		for _, i := range post {
			if s.sum[i] == 0 {
				s.touched = append(s.touched, i)
			}
			s.sum[i] += weight
		}
	}
	return bits, most
}

// keep puts h among the nearest, if it is one.
func (s *search) keep(h hit) {
	k := len(s.top)
	if k < nearest {
		s.top = append(s.top, h)
	} else if k--; h.cosine <= s.top[k].cosine {
		return
	}
	for ; k > 0 && s.top[k-1].cosine < h.cosine; k-- {
		s.top[k] = s.top[k-1]
	}
	s.top[k] = h
}

// odds returns what hits say to each question, in log-odds.
func (n *Neighbours) odds(hits []hit) (z [Heads]float64) {
	var votes [label.Count][Heads]float64
	for _, h := range hits {
		e, c := &n.examples[h.example], float64(h.cosine)
		near := c * c * c * c * c
		for q, v := range e.Vote {
			votes[e.Category][q] += near * float64(v)
		}
	}
	for q := range z {
		yes, no := nearDoubt, nearDoubt
		for c := range label.Category(label.Count) {
			if asked, is := asks(q, c); asked && is {
				yes += votes[c][q]
			} else if asked {
				no += votes[c][q]
			}
		}
		z[q] = math.Log(yes / no)
	}
	return z
}

// votes returns the different votes of the examples, in order.
func (n *Neighbours) votes() (out [][Heads]float32) {
	for _, e := range n.examples {
		if !slices.Contains(out, e.Vote) {
			out = append(out, e.Vote)
		}
	}
	return out
}

// appendTo appends the examples to the body of a model file: category, which of votes, and
// message with its length before it.
func (n *Neighbours) appendTo(body []byte, votes [][Heads]float32) []byte {
	for _, e := range n.examples {
		body = append(body, byte(e.Category))
		body = binary.AppendUvarint(body, uint64(slices.Index(votes, e.Vote)))
		body = binary.AppendUvarint(body, uint64(len(e.Message)))
		body = append(body, e.Message...)
	}
	return body
}

// readNeighbours reads what appendTo wrote.
func readNeighbours(body []byte, count int, votes [][Heads]float32) (*Neighbours, error) {
	bad := fmt.Errorf("%w: examples", ErrFormat)
	if count < 0 || count > len(body) {
		return nil, bad
	}
	examples := make([]Neighbour, count)
	for i := range examples {
		if len(body) == 0 || body[0] >= label.Count {
			return nil, bad
		}
		category := label.Category(body[0])
		vote, a := binary.Uvarint(body[1:])
		if a <= 0 || vote >= uint64(len(votes)) {
			return nil, bad
		}
		body = body[1+a:]
		size, b := binary.Uvarint(body)
		if b <= 0 || size > uint64(len(body)-b) {
			return nil, bad
		}
		examples[i] = Neighbour{category, string(body[b : b+int(size)]), votes[vote]}
		body = body[b+int(size):]
	}
	if len(body) > 0 {
		return nil, bad
	}
	return newNeighbours(examples, wordsOf(examples)), nil
}
