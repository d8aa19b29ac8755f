package snmp

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"go.uber.org/goleak"

	"github.com/inframind/inframind/exporters/snmp_exporter/agent"
	"github.com/inframind/inframind/exporters/snmp_exporter/conf"
	"github.com/inframind/inframind/exporters/snmp_exporter/walk"
	"github.com/inframind/inframind/internal/exporter"
	"github.com/inframind/inframind/internal/testdata"
)

// recordings are all recorded devices, packed or not.
func recordings(t *testing.T) []string {
	t.Helper()
	dir := testdata.Dir(t, "snmp")
	var files []string
	for _, sub := range []string{"librenms", "snmpsim-data", "centreon"} {
		err := filepath.WalkDir(filepath.Join(dir, sub), func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if testing.Short() {
		files = slices.DeleteFunc(files, func(f string) bool {
			st, err := os.Stat(f)
			return err != nil || st.Size() > 200_000
		})
	}
	return files
}

func probe(t *testing.T, d *Driver, target string, modules ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	var out bytes.Buffer
	p := &exporter.Probe{Target: target, Modules: modules, Log: slog.New(slog.DiscardHandler)}
	if err := exporter.ProbeOnce(ctx, d, "snmp", p, &out); err != nil {
		t.Errorf("probe %v: %v", modules, err)
	}
	return out.String()
}

// TestAutoReadsEveryRecording probes each recorded device without naming a module: it must be
// up, every column must be read, and what comes out must be valid and well named.
func TestAutoReadsEveryRecording(t *testing.T) {
	d, err := New(&conf.Config{}, Options{WrapCounters: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range recordings(t) {
		dev, _, err := agent.ReadFile(f)
		if err != nil {
			t.Errorf("%s: %v", f, err)
			continue
		}
		addr := listen(t, &agent.Server{Devices: map[string]*agent.Device{"": dev}})
		text := probe(t, d, addr)
		name := filepath.Base(f)
		parser := expfmt.NewTextParser(model.LegacyValidation)
		families, err := parser.TextToMetricFamilies(strings.NewReader(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		samples := 0
		for n, fam := range families {
			if !strings.HasPrefix(n, "snmp_") && !strings.HasPrefix(n, "probe_") && !strings.HasPrefix(n, "collector_") {
				samples += len(fam.Metric)
			}
		}
		if samples == 0 {
			t.Logf("%s: nothing but our own metrics", name)
		}
		for _, want := range []string{"snmp_up 1\n", `collector_success{collector="modules"} 1`, `collector_success{collector="hardware"} 1`, "probe_rejected_samples 0\n"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q", name, want)
			}
		}
		for line := range strings.SplitSeq(text, "\n") {
			if strings.HasPrefix(line, "snmp_scrape_columns_lost") && !strings.HasSuffix(line, " 0") {
				t.Errorf("%s: %s", name, line)
			}
		}
	}
}

// TestOwnMetricsAreWellNamed lints what the exporter adds to the device's own names.
func TestOwnMetricsAreWellNamed(t *testing.T) {
	dev, err := agent.Switch(2)
	if err != nil {
		t.Fatal(err)
	}
	d, err := New(&conf.Config{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	text := probe(t, d, listen(t, &agent.Server{Devices: map[string]*agent.Device{"": dev}}), "system")
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		// sysUpTime and the like carry the names of the MIB.
		if strings.HasPrefix(p.Metric, "snmp_") || strings.HasPrefix(p.Metric, "hw_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

// TestLabelCache reads the columns that only make labels once, with the same result.
func TestLabelCache(t *testing.T) {
	dev, err := agent.Switch(50)
	if err != nil {
		t.Fatal(err)
	}
	s := &agent.Server{Devices: map[string]*agent.Device{"": dev}}
	d, err := New(&conf.Config{}, Options{LabelCache: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	addr := listen(t, s)
	series := func() (out []string) {
		for l := range strings.SplitSeq(probe(t, d, addr, "if_mib"), "\n") {
			if strings.HasPrefix(l, "if") {
				out = append(out, l)
			}
		}
		return out
	}
	first := series()
	sent := s.Sent.Load()
	second := series()
	if again := s.Sent.Load() - sent; again > sent-100 {
		t.Errorf("%d varbinds at first, %d with the cache", sent, again)
	}
	if len(first) < 1000 || !slices.Equal(first, second) {
		t.Errorf("%d series at first, %d with the cache", len(first), len(second))
	}
}

// TestModulesThatShareMetrics asks for two modules with the same metrics: each series comes once.
func TestModulesThatShareMetrics(t *testing.T) {
	dev, err := agent.Switch(3)
	if err != nil {
		t.Fatal(err)
	}
	d, err := New(&conf.Config{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	text := probe(t, d, listen(t, &agent.Server{Devices: map[string]*agent.Device{"": dev}}), "if_mib", "interfaces", AutoModule)
	seen := map[string]bool{}
	for l := range strings.SplitSeq(text, "\n") {
		if l == "" || l[0] == '#' {
			continue
		}
		series, _, _ := strings.Cut(l, "} ")
		if seen[series] {
			t.Errorf("twice: %s", l)
		}
		seen[series] = true
	}
	if strings.Contains(text, `snmp_scrape_duplicates_replaced{module="interfaces"} 0`) {
		t.Error("duplicates were not counted")
	}
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// shipped is the snmp.yml that everybody has.
func shipped(t *testing.T) *conf.Config {
	t.Helper()
	f, err := os.Open(filepath.Join(testdata.Dir(t, "snmp"), "snmp_exporter", "snmp.yml.gz"))
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

// TestSameSeriesAsSerialWalk reads every recording with every shipped module and compares the
// series with those that come from walking the module's subtrees one object after another, as
// the format's documentation says it is done.
func TestSameSeriesAsSerialWalk(t *testing.T) {
	c := shipped(t)
	d, err := New(c, Options{WrapCounters: true})
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, f := range recordings(t) {
		st, err := os.Stat(f)
		if err != nil || st.Size() > 300_000 {
			continue // the biggest repeat what the others show
		}
		dev, _, err := agent.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		addr := listen(t, &agent.Server{Devices: map[string]*agent.Device{"": dev}})
		for name := range c.Modules {
			m := d.modules[name]
			want := serialWalk(t, m, dev)
			if len(want) == 0 {
				continue
			}
			got := map[string]bool{}
			for line := range strings.SplitSeq(probe(t, d, addr, name), "\n") {
				if line != "" && line[0] != '#' && !strings.HasPrefix(line, "snmp_") && !strings.HasPrefix(line, "probe_") && !strings.HasPrefix(line, "collector_") {
					got[line] = true
				}
			}
			compared += len(want)
			for line := range want {
				if !got[line] {
					t.Errorf("%s, module %s: missing %s", filepath.Base(f), name, line)
				}
				delete(got, line)
			}
			for line := range got {
				t.Errorf("%s, module %s: too much: %s", filepath.Base(f), name, line)
			}
			if t.Failed() {
				return
			}
		}
	}
	t.Logf("%d series compared", compared)
	if compared < 1000 {
		t.Errorf("only %d series compared", compared)
	}
}

// serialWalk makes the series of m from the objects of a device, without planner or network.
func serialWalk(t *testing.T, m *module, dev *agent.Device) map[string]bool {
	t.Helper()
	tab := newTable(m)
	for _, o := range dev.Objects() {
		under := slices.ContainsFunc(m.conf.Walk, func(w string) bool { return walk.Under(o.OID, trimOID(w)) })
		if under || slices.ContainsFunc(m.conf.Get, func(g string) bool { return trimOID(g) == o.OID }) {
			tab.addInstance(walk.Instance{OID: o.OID, Value: o.Value()})
		}
	}
	out := newExposition()
	tab.convert(out, true)
	var b bytes.Buffer
	if err := out.write(&b); err != nil {
		t.Fatal(err)
	}
	lines := map[string]bool{}
	for l := range strings.SplitSeq(b.String(), "\n") {
		if l != "" && l[0] != '#' {
			lines[l] = true
		}
	}
	return lines
}
