package csvfile

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"
)

func TestRead(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"empty", "", "the file is empty: want a header and the columns series,timestamp,value"},
		{"no value column", "series,timestamp\n", `line 1: no column "value": want series,timestamp,value`},
		{"bad time", "series,timestamp,value\na,yesterday,1\n", `line 2: timestamp "yesterday": want Unix seconds or RFC 3339, e.g. 2026-03-01T00:00:00Z`},
		{"bad value", "series,timestamp,value\na,1,1\na,2,full\n", `line 3: value "full" is not a number`},
		{"short line", "series,timestamp,value\na,1\n", "record on line 2: wrong number of fields"},
	} {
		if _, err := Read(strings.NewReader(tc.in)); err == nil || err.Error() != tc.want {
			t.Errorf("%s: got %v, want %s", tc.name, err, tc.want)
		}
	}
	f, err := Read(strings.NewReader("value,series,timestamp\n1,a,2026-03-01T00:00:00Z\n,a,2026-03-01T01:00:00Z\nNaN,b,2026-03-01T00:00:00.5Z\n"))
	if err != nil || len(f.Series) != 2 || f.Unix {
		t.Fatal(f, err)
	}
	a := f.Series[0]
	if a.Len() != 2 || a.Values[0] != 1 || !math.IsNaN(a.Values[1]) || a.Times[0] != 1772323200000 {
		t.Errorf("got %+v", a)
	}
	if f.Series[1].Times[0] != 1772323200500 {
		t.Errorf("milliseconds are lost: %d", f.Series[1].Times[0])
	}
}

func TestWriteKeepsTheKindOfTimestamp(t *testing.T) {
	for unix, want := range map[bool]string{
		true:  "series,timestamp,median,lower80,upper80,lower95,upper95\na,1772323200,1,0.5,2,0,3\n",
		false: "series,timestamp,median,lower80,upper80,lower95,upper95\na,2026-03-01T00:00:00Z,1,0.5,2,0,3\n",
	} {
		var b bytes.Buffer
		w, err := NewWriter(&b, unix, []float64{80, 95})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write("a", time.Unix(1772323200, 0), 1, 0.5, 2, 0, 3); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil || b.String() != want {
			t.Errorf("got %s, %v; want %s", b.String(), err, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("series,timestamp,value\na,1,1\nb,2026-03-01T00:00:00Z,NaN\n"))
	f.Add([]byte("series,timestamp,value\na,1e300,1\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		file, err := Read(bytes.NewReader(raw))
		if err != nil {
			return
		}
		for _, s := range file.Series {
			if len(s.Times) != len(s.Values) || s.Len() == 0 {
				t.Fatalf("%d times, %d values", len(s.Times), len(s.Values))
			}
		}
	})
}
