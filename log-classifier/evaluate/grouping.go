package evaluate

// GroupingAccuracy is the share of lines whose group holds exactly the lines of their true
// template, the measure of the log parsing literature.
func GroupingAccuracy(truth, got []string) float64 {
	size, other := map[string]int{}, map[string]string{}
	same := map[string]bool{}
	gotSize := map[string]int{}
	for i, e := range truth {
		size[e]++
		gotSize[got[i]]++
		if g, ok := other[e]; !ok {
			other[e], same[e] = got[i], true
		} else if g != got[i] {
			same[e] = false
		}
	}
	hit := 0
	for e, n := range size {
		if same[e] && gotSize[other[e]] == n {
			hit += n
		}
	}
	return float64(hit) / float64(max(len(truth), 1))
}
