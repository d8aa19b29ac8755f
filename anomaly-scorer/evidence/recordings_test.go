package evidence

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/inframind/inframind/anomaly-scorer/measure"
	"github.com/inframind/inframind/internal/testdata"
	"github.com/inframind/inframind/internal/zeek"
)

// labelled reads a recording whose last two columns are labels, which it cuts off before
// anything else sees a row.
func labelled(tb testing.TB, rel string) (conns []zeek.Conn, malicious []bool) {
	tb.Helper()
	f, err := os.Open(filepath.Join(testdata.Dir(tb, rel)))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	var plain strings.Builder
	sc := bufio.NewScanner(z)
	for sc.Scan() {
		line := sc.Text()
		if cut := strings.Split(line, "\t"); len(cut) > 10 {
			if !strings.HasPrefix(line, "#") {
				malicious = append(malicious, cut[len(cut)-2] == "Malicious")
			}
			line = strings.Join(cut[:len(cut)-2], "\t")
		}
		fmt.Fprintln(&plain, line)
	}
	r := zeek.NewReader(strings.NewReader(plain.String()), zeek.KindConn, 0)
	for {
		var c zeek.Conn
		if r.Conn(&c) != nil {
			break
		}
		conns = append(conns, c)
	}
	if len(conns) != len(malicious) || len(conns) == 0 {
		tb.Fatalf("%s: %d rows, %d labels", rel, len(conns), len(malicious))
	}
	return conns, malicious
}

func judge(conns []zeek.Conn, malicious []bool, keep func(int) bool) (auroc, found, false_ float64) {
	s := New(Options{})
	var scores []float64
	var pos, flagged []bool
	for i := range conns {
		if !keep(i) {
			continue
		}
		e := s.Score(&conns[i])
		scores, pos, flagged = append(scores, e.Score), append(pos, malicious[i]), append(flagged, e.Flagged())
	}
	found, false_ = measure.Rates(flagged, pos)
	return measure.AUROC(scores, pos), found, false_
}

// thin keeps so many of the malicious rows that they are share of all.
func thin(malicious []bool, share float64, rng *rand.Rand) func(int) bool {
	good := 0
	var bad []int
	for i, m := range malicious {
		if m {
			bad = append(bad, i)
		} else {
			good++
		}
	}
	rng.Shuffle(len(bad), func(i, j int) { bad[i], bad[j] = bad[j], bad[i] })
	n := int(share / (1 - share) * float64(good))
	keep := map[int]bool{}
	for _, i := range bad[:min(n, len(bad))] {
		keep[i] = true
	}
	return func(i int) bool { return !malicious[i] || keep[i] }
}

func TestStratosphere(t *testing.T) {
	for _, rel := range []string{"zeek/stratosphere/008-zeek-mixed", "zeek/stratosphere/010-zeek-mixed"} {
		conns, malicious := labelled(t, rel+"/data/conn.log.labeled.gz")
		for _, tc := range []struct {
			share, wantFound float64
			seeds            int
		}{{1, .97, 1}, {.05, .95, 20}, {.01, .75, 40}} {
			t.Run(fmt.Sprintf("%s/%g", filepath.Base(rel), tc.share), func(t *testing.T) {
				var auroc, found, wrong, worst float64 = 0, 0, 0, 1
				for seed := range tc.seeds {
					keep := func(int) bool { return true }
					if tc.share < 1 {
						keep = thin(malicious, tc.share, rand.New(rand.NewPCG(uint64(seed), 1)))
					}
					a, f, w := judge(conns, malicious, keep)
					auroc, found, wrong = auroc+a, found+f, wrong+w
					worst = min(worst, f)
				}
				n := float64(tc.seeds)
				t.Logf("AUROC %.4f, found %.2f %% (worst of %d draws %.1f %%), false %.3f %%", auroc/n, 100*found/n, tc.seeds, 100*worst, 100*wrong/n)
				if auroc/n < .99 || found/n < tc.wantFound || wrong/n > .005 {
					t.Error("below the bar")
				}
			})
		}
	}
}
