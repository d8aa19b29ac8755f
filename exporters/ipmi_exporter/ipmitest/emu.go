package ipmitest

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"testing"
)

// LoadSDRs reads the SDRs of a simulator definition (lines main_sdr_add).
func LoadSDRs(tb testing.TB, emu string) [][]byte {
	tb.Helper()
	f, err := os.Open(emu)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var out [][]byte
	s := bufio.NewScanner(f)
	for s.Scan() {
		words := strings.Fields(s.Text())
		if len(words) < 3 || words[0] != "main_sdr_add" {
			continue
		}
		var rec []byte
		for _, w := range words[2:] {
			n, err := strconv.ParseUint(w, 0, 8)
			if err != nil {
				tb.Fatal(err)
			}
			rec = append(rec, byte(n))
		}
		out = append(out, rec)
	}
	if err := s.Err(); err != nil || len(out) == 0 {
		tb.Fatalf("%s: %d SDRs, %v", emu, len(out), err)
	}
	return out
}
