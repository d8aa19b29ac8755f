package mine

// aligner finds what two keys have in common. It holds scratch space.
type aligner struct {
	best  [][maxPieces + 1]int16
	shape []piece
	keep  [maxPieces + 1]bool
	open  [maxPieces + 1]bool // before that piece the other key has something more
}

// weight says what it is worth to have a piece in common: words hold a statement together.
var weight = [...]int16{sign: 1, mark: 2, value: 1, gap: 2, word: 4}

// align returns the pieces of a that b has in the same order, with a gap wherever either has
// something else; nil if they share less than two words. It is valid until the next call.
func (al *aligner) align(a, b []piece) []piece {
	if len(a) > maxPieces || len(b) > maxPieces {
		return nil
	}
	p := 0
	for p < len(a) && p < len(b) && a[p].hash == b[p].hash {
		p++
	}
	q := 0
	for q < len(a)-p && q < len(b)-p && a[len(a)-1-q].hash == b[len(b)-1-q].hash {
		q++
	}
	for i := range a {
		al.keep[i], al.open[i] = i < p || i >= len(a)-q, false
	}
	al.open[len(a)] = false
	al.middle(a[p:len(a)-q], b[p:len(b)-q], p)
	return al.gapped(a)
}

// middle aligns what the keys neither begin nor end with: the longest common subsequence by
// weight. It starts at piece off of a.
func (al *aligner) middle(a, b []piece, off int) {
	if len(a) == 0 || len(b) == 0 {
		al.open[off+len(a)] = len(a)+len(b) > 0
		return
	}
	for len(al.best) <= len(a) {
		al.best = append(al.best, [maxPieces + 1]int16{})
	}
	clear(al.best[len(a)][:len(b)+1])
	for n := range a {
		i := len(a) - 1 - n // from the end
		row, below := &al.best[i], &al.best[i+1]
		row[len(b)] = 0
		for n := range b {
			j := len(b) - 1 - n
			v := max(below[j], row[j+1])
			if a[i].hash == b[j].hash {
				v = max(v, below[j+1]+weight[a[i].kind])
			}
			row[j] = v
		}
	}
	i, j, gapped := 0, 0, false
	for i < len(a) && j < len(b) {
		switch {
		case a[i].hash == b[j].hash && al.best[i][j] == al.best[i+1][j+1]+weight[a[i].kind]:
			al.keep[off+i], al.open[off+i] = true, gapped
			gapped = false
			i++
			j++
		case al.best[i+1][j] >= al.best[i][j+1]:
			i++
			gapped = true
		default:
			j++
			gapped = true
		}
	}
	al.open[off+len(a)] = gapped || i < len(a) || j < len(b)
}

// gapped writes the kept pieces with gaps between. What is between two gaps without a word,
// and values beside a gap, are part of it: values in a row are one.
func (al *aligner) gapped(a []piece) []piece {
	out, last, words := al.shape[:0], -1, 0
	for i := 0; i <= len(a); i++ {
		kept := i < len(a) && al.keep[i] && a[i].kind != gap
		if al.open[i] || i < len(a) && !kept {
			if last >= 0 && !anchors(out[last+1:]) {
				out = out[:last]
			}
			for len(out) > 0 && out[len(out)-1].kind == value {
				out = out[:len(out)-1]
			}
			last = len(out)
			out = append(out, piece{hash: gapHash, kind: gap})
		}
		if !kept || a[i].kind == value && last >= 0 && last == len(out)-1 {
			continue
		}
		out = append(out, a[i])
		if a[i].kind == word {
			words++
		}
	}
	al.shape = out
	if words < 2 {
		return nil
	}
	return out
}

// anchors tells whether pieces hold anything that keeps gaps apart.
func anchors(ps []piece) bool {
	for _, p := range ps {
		if p.kind == word || p.kind == mark {
			return true
		}
	}
	return false
}
