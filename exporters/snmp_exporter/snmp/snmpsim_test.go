package snmp

import (
	"context"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/inframind/inframind/exporters/snmp_exporter/conf"
	"github.com/inframind/inframind/exporters/snmp_exporter/walk"
	"github.com/inframind/inframind/internal/exporter"
	"github.com/inframind/inframind/internal/testdata"
)

// TestSnmpsimGivesTheSame reads recordings through an agent that others wrote. It needs
// snmpsim-command-responder (pip install snmpsim-lextudio) in the path or in SNMPSIM_BIN.
func TestSnmpsimGivesTheSame(t *testing.T) {
	bin := os.Getenv("SNMPSIM_BIN")
	if bin == "" {
		var err error
		if bin, err = exec.LookPath("snmpsim-command-responder"); err != nil {
			t.Skip("snmpsim-command-responder is not installed (pip install snmpsim-lextudio), or set SNMPSIM_BIN")
		}
	}
	dir, data := testdata.Dir(t, "snmp"), t.TempDir()
	names := []string{"drac_r640", "apc_smtl1000-nmc3", "linux_ups-nut"}
	var files []string
	for _, n := range names {
		f := filepath.Join(dir, "librenms", n+".snmprec")
		files = append(files, f)
		if err := copyFile(f, filepath.Join(data, n+".snmprec")); err != nil {
			t.Fatal(err)
		}
	}
	sim := startSnmpsim(t, bin, data)
	ours := replay(t, files)
	d, err := New(&conf.Config{}, Options{WrapCounters: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		d.SetAuth(n, &conf.Auth{Version: 2, Community: conf.Secret(n)})
		for _, m := range []string{AutoModule, "if_mib", "system"} {
			want, got := seriesOf(t, d, ours, n, m), seriesOf(t, d, sim, n, m)
			if want != got || len(want) < 100 {
				t.Errorf("%s, %s: snmpsim gives\n%s\nwe give\n%s", n, m, got, want)
			}
		}
	}
}

func seriesOf(t *testing.T, d *Driver, addr, auth, module string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var out strings.Builder
	p := &exporter.Probe{Target: addr, Modules: []string{module}}
	p.Auth.Name, p.Log = auth, slog.New(slog.DiscardHandler)
	if err := exporter.ProbeOnce(ctx, d, "snmp", p, &out); err != nil {
		t.Errorf("%s, %s: %v", auth, module, err)
	}
	var keep []string
	for l := range strings.SplitSeq(out.String(), "\n") {
		if !strings.Contains(l, "duration") && !strings.HasPrefix(l, "snmp_scrape_packets") {
			keep = append(keep, l)
		}
	}
	return strings.Join(keep, "\n")
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	return out.Close()
}

func startSnmpsim(t *testing.T, bin, data string) (addr string) {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr = pc.LocalAddr().String()
	pc.Close()
	cmd := exec.Command(bin, "--data-dir="+data, "--cache-dir="+t.TempDir(), "--agent-udpv4-endpoint="+addr,
		"--process-user="+userName(), "--process-group="+userName())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for range 100 {
		c, err := walk.Dial(t.Context(), addr, walk.Options{Auth: &conf.Auth{Version: 2, Community: "drac_r640"}})
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := c.Get(t.Context(), walk.Params{Timeout: 200 * time.Millisecond}, []string{sysUpTime})
		_ = c.Close()
		if err == nil && len(got) == 1 {
			return addr
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("snmpsim does not answer on %s", addr)
	return ""
}

func userName() string {
	if u := os.Getenv("USER"); u != "" {
		return u
	}
	return "root"
}
