package hw

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

type collect func(chan<- prometheus.Metric)

func (collect) Describe(chan<- *prometheus.Desc)      {}
func (c collect) Collect(ch chan<- prometheus.Metric) { c(ch) }

// TestEveryMetricIsInTheTableAndWellNamed sends one sample of each family, so that a
// constant without a row, a wrong label count, promlint and the unit check all show.
func TestEveryMetricIsInTheTableAndWellNamed(t *testing.T) {
	s := New("test")
	rows := map[Metric]row{}
	for _, r := range table() {
		rows[r.metric] = r
	}
	if n := metricConstants(t); n != len(rows) {
		t.Errorf("%d constants, %d rows", n, len(rows))
	}
	c := collect(func(ch chan<- prometheus.Metric) {
		for m, r := range rows {
			s.Send(ch, m, Part{ID: "1", Type: Fan, Name: "Fan 1", Parent: "c"}, 1, make([]string, len(r.labels))...)
		}
	})
	problems, err := testutil.CollectAndLint(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	if n := testutil.CollectAndCount(c); n != len(rows) {
		t.Errorf("%d samples for %d families", n, len(rows))
	}
	units := []string{
		"celsius", "rpm", "ratio", "volts", "amperes", "watts", "joules_total", "hertz", "pascals", "per_second",
		"bytes", "bytes_total", "seconds", "seconds_total", "info", "errors_total", "status", "cores", "threads", "up", "on", "detected", "entries",
	}
	for m := range rows {
		ok := false
		for _, u := range units {
			ok = ok || strings.HasSuffix(string(m), "_"+u)
		}
		if !ok {
			t.Errorf("%s ends in no known unit", m)
		}
	}
}

// metricConstants counts the constants of type Metric in the source.
func metricConstants(t *testing.T) int {
	f, err := parser.ParseFile(token.NewFileSet(), "hw.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	ast.Inspect(f, func(node ast.Node) bool {
		if v, ok := node.(*ast.ValueSpec); ok {
			if id, ok := v.Type.(*ast.Ident); ok && id.Name == "Metric" {
				n += len(v.Names)
			}
		}
		return true
	})
	return n
}

func TestStatusIsAStateSet(t *testing.T) {
	s := New("test")
	c := collect(func(ch chan<- prometheus.Metric) { s.SendStatus(ch, Part{ID: "1", Type: Fan}, Degraded) })
	var want strings.Builder
	want.WriteString("# HELP hw_status State of the part: 1 for the state that holds, 0 for the others.\n# TYPE hw_status gauge\n")
	for _, st := range []string{Degraded, Failed, OK, PredictedFailure, Unknown} {
		v := 0
		if st == Degraded {
			v = 1
		}
		fmt.Fprintf(&want, "hw_status{hw_id=\"1\",hw_name=\"\",hw_parent=\"\",hw_type=\"fan\",source=\"test\",state=%q} %d\n", st, v)
	}
	if err := testutil.CollectAndCompare(c, strings.NewReader(want.String())); err != nil {
		t.Error(err)
	}
}

func TestNoNumberIsNotSent(t *testing.T) {
	s := New("test")
	c := collect(func(ch chan<- prometheus.Metric) {
		s.Send(ch, PowerWatts, Part{ID: "1"}, math.NaN())
		s.Send(ch, PowerWatts, Part{ID: "2"}, math.Inf(1))
	})
	if n := testutil.CollectAndCount(c); n != 0 {
		t.Errorf("%d samples", n)
	}
}

func TestLabel(t *testing.T) {
	for in, want := range map[string]string{
		" a\x00b\n ": "ab", "\xff\xfeok": "ok", "Grad °C": "Grad °C", strings.Repeat("é", 200): strings.Repeat("é", 100),
	} {
		if got := Label(in); got != want || !utf8.ValidString(got) {
			t.Errorf("Label(%q) = %q, want %q", in, got, want)
		}
	}
}
