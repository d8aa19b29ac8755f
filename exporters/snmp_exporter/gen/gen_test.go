package gen

import (
	"compress/gzip"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/inframind/inframind/exporters/snmp_exporter/conf"
	"github.com/inframind/inframind/exporters/snmp_exporter/mib"
	"github.com/inframind/inframind/internal/testdata"
)

// recorded is the snmp.yml that the people we come from ship.
func recorded(t *testing.T, dir string) *conf.Config {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "snmp_exporter", "snmp.yml.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	c, err := conf.Parse("snmp.yml", raw)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestAgreesWithRecorded generates every module whose MIBs are at hand and compares it, object
// by object, with what the widely used generator made of the same generator.yml.
func TestAgreesWithRecorded(t *testing.T) {
	dir := testdata.Dir(t, "snmp")
	want := recorded(t, dir)
	c, err := Load(filepath.Join(dir, "snmp_exporter", "generator.yml"))
	if err != nil {
		t.Fatal(err)
	}
	tree, warnings, err := mib.Load(filepath.Join(dir, "mibs"))
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range warnings {
		t.Log("MIB:", w)
	}
	got, _, _ := Generate(c, tree)
	modules, objects, same := 0, 0, 0
	for _, name := range slices.Sorted(maps.Keys(got.Modules)) {
		g, w := got.Modules[name], want.Modules[name]
		if len(g.Metrics) == 0 {
			continue
		}
		modules++
		byOID := map[string]*conf.Metric{}
		for _, m := range g.Metrics {
			byOID[m.OID] = m
		}
		n := 0
		for _, m := range w.Metrics {
			objects++
			if d := cmp.Diff(m, byOID[m.OID], cmpopts.EquateEmpty(), cmp.Comparer(func(a, b conf.Regexp) bool {
				return a.String() == b.String() || "^(?:"+a.String()+")$" == b.String() || "^(?:"+b.String()+")$" == a.String()
			})); d != "" {
				t.Logf("%s: %s (-recorded +ours):\n%s", name, m.Name, d)
				continue
			}
			n++
		}
		same += n
		t.Logf("module %-16s %3d of %3d objects agree, %d ours", name, n, len(w.Metrics), len(g.Metrics))
		if d := cmp.Diff(w.Walk, g.Walk, cmpopts.EquateEmpty()) + cmp.Diff(w.Get, g.Get, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%s: walk and get differ (-recorded +ours):\n%s", name, d)
		}
		// The MIBs at hand may be newer than those of the recording, by an object here and there.
		if len(g.Metrics) < len(w.Metrics) || len(g.Metrics) > len(w.Metrics)+len(w.Metrics)/10 {
			t.Errorf("%s: %d metrics, recorded %d", name, len(g.Metrics), len(w.Metrics))
		}
	}
	t.Logf("%d modules, %d of %d objects agree (%.1f %%)", modules, same, objects, 100*float64(same)/float64(max(1, objects)))
	// ifType differs by the newest interface types: the recorded IANAifType-MIB is newer.
	if objects < 200 || objects-same > 1 {
		t.Errorf("%d of %d objects agree", same, objects)
	}
}
