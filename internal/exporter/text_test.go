package exporter

import (
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
)

func TestTextKeepsEverythingInPieces(t *testing.T) {
	var text Text
	want := strings.Repeat("metric{a=\"b\"} 1\n", 40_000) + "half a li"
	for rest := want; rest != ""; {
		n := min(len(rest), 70_001)
		if _, err := text.Write([]byte(rest[:n])); err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
	}
	if text.String() != want || text.Len() != len(want) {
		t.Fatalf("%d bytes came back, want %d", text.Len(), len(want))
	}
	if got := text.wholeLines().String(); got != strings.TrimSuffix(want, "half a li") {
		t.Errorf("wholeLines ends in %q", got[max(0, len(got)-20):])
	}
	if got := (Text{[]byte("no end")}).wholeLines(); got.Len() != 0 {
		t.Errorf("a text without a whole line became %q", got)
	}
}

func TestTextIsCompressedForThoseWhoTakeIt(t *testing.T) {
	for _, tc := range []struct {
		accept string
		packed bool
	}{{"", false}, {"gzip", true}, {"deflate, gzip;q=1.0", true}, {"gzip;q=0", false}} {
		r := httptest.NewRequest("GET", "/probe", nil)
		r.Header.Set("Accept-Encoding", tc.accept)
		w := httptest.NewRecorder()
		Text{[]byte("a 1\n"), []byte("b 2\n")}.serve(w, r)
		var body io.Reader = w.Body
		if packed := w.Header().Get("Content-Encoding") == "gzip"; packed != tc.packed {
			t.Errorf("Accept-Encoding %q: packed %v", tc.accept, packed)
			continue
		} else if packed {
			z, err := gzip.NewReader(w.Body)
			if err != nil {
				t.Fatal(err)
			}
			body = z
		}
		if got, err := io.ReadAll(body); err != nil || string(got) != "a 1\nb 2\n" {
			t.Errorf("Accept-Encoding %q: %q, %v", tc.accept, got, err)
		}
	}
}
