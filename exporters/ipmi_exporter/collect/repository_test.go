package collect

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inframind/inframind/exporters/ipmi_exporter/ipmitest"
	"github.com/inframind/inframind/internal/job"
)

func TestSDRCache(t *testing.T) {
	b := oddBMC()
	conf := Config{StateDirectory: t.TempDir()}
	addr := b.Start(t)
	first := mustProbe(t, newDriver(t, conf), addr)
	reads := b.Commands(0x0a, 0x23)
	second := mustProbe(t, newDriver(t, conf), addr)
	if n := b.Commands(0x0a, 0x23); n != reads || reads == 0 {
		t.Errorf("%d reads at first, %d after a restart", reads, n)
	}
	if a, b := steady.ReplaceAllString(first, ""), steady.ReplaceAllString(second, ""); a != b {
		t.Error(cmp.Diff(a, b))
	}
	b.Lock(func() { // the repository changes
		b.Added++
		b.SDRs[0][24] = 3
	})
	d := newDriver(t, conf)
	text := mustProbe(t, d, addr)
	if !strings.Contains(text, `hw_name="Plain",hw_parent="system_board_1",hw_type="temperature",source="ipmi"} 63`) {
		t.Error("the stale repository is still in use")
	}
	b.Lock(func() { b.Added++; b.SDRs[0][24] = 4 })
	if text = mustProbe(t, d, addr); !strings.Contains(text, `source="ipmi"} 84`) {
		t.Error("the repository in memory is stale")
	}
	files, err := filepath.Glob(filepath.Join(conf.StateDirectory, "sdr", "*.json"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v %v", files, err)
	}
	if err := os.WriteFile(files[0], []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	mustProbe(t, newDriver(t, conf), addr) // a damaged cache is replaced
}

// TestUndatedSDRs are read again after a day.
func TestUndatedSDRs(t *testing.T) {
	for _, tc := range []struct {
		added, reads uint32
	}{{0, 2}, {1000, 1}, {0xffffffff, 2}} {
		b := oddBMC()
		b.Added = tc.added
		addr := b.Start(t)
		d := newDriver(t, Config{StateDirectory: t.TempDir()})
		mustProbe(t, d, addr)
		once := b.Commands(0x0a, 0x23)
		mustProbe(t, d, addr)
		saved := d.target(addr)
		saved.repo.read = saved.repo.read.Add(-undatedLife)
		path := d.disk.path("sdr", addr)
		var file savedSDR
		if err := job.LoadJSON(path, &file); err != nil {
			t.Fatal(err)
		}
		file.Read = saved.repo.read
		if err := job.SaveJSON(path, file); err != nil {
			t.Fatal(err)
		}
		mustProbe(t, d, addr)
		if n := b.Commands(0x0a, 0x23); n != once*int(tc.reads) || once == 0 {
			t.Errorf("time %d: %d commands at first, %d a day later", tc.added, once, n)
		}
	}
}

// TestSlowRepository reads the SDRs over several scrapes.
func TestSlowRepository(t *testing.T) {
	b := oddBMC()
	p := ipmitest.NewProxy(t, b.Start(t))
	p.Delay(30 * time.Millisecond)
	d := newDriver(t, Config{Modules: map[string]*Module{"default": {CipherSuite: 17, Collectors: []string{colSensors}}}})
	done := false
	for i := 0; i < 30 && !done; i++ {
		text, err := probe(t, d, p.Addr, 500*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		done = strings.Contains(text, `collector_success{collector="sensors"} 1`)
		if !done && !strings.Contains(text, `collector_failure_info{collector="sensors",reason="timeout"} 1`) {
			t.Errorf("no reason given:\n%s", text)
		}
		if i == 0 && done {
			t.Fatal("the test is too easy")
		}
	}
	if !done {
		t.Error("the repository was never read to its end")
	}
}
