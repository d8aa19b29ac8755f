package evaluate

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/inframind/inframind/anomaly-scorer/inject"
	"github.com/inframind/inframind/anomaly-scorer/scorer"
	"github.com/inframind/inframind/internal/testdata"
)

// strip copies a labelled log without its two label columns into a directory of its own,
// keeping the rows that keep wants.
func strip(t *testing.T, path string, keep func(uid string) bool) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	sc := bufio.NewScanner(z)
	for sc.Scan() {
		v := strings.Split(sc.Text(), "\t")
		if len(v) > 10 {
			if !strings.HasPrefix(v[0], "#") && !keep(v[1]) {
				continue
			}
			v = v[:len(v)-2]
		}
		fmt.Fprintln(&out, strings.Join(v, "\t"))
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "conn.log"), out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func trained(t *testing.T, dir string) *scorer.Forest {
	t.Helper()
	model := filepath.Join(t.TempDir(), "model.iforest")
	if _, err := scorer.Train(context.Background(), scorer.Config{}, scorer.TrainOptions{Dir: dir, Model: model, Seed: 1}); err != nil {
		t.Fatal(err)
	}
	f, err := scorer.LoadForest(model, 1<<16)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// The whole program on labelled traffic: trained on other traffic and on the very log it
// scores, with all attacks and with few.
func TestStratosphere(t *testing.T) {
	if testing.Short() {
		t.Skip("accuracy takes long; it is measured without -short")
	}
	cloud := testdata.Dir(t, "zeek/cloudhost_3days")
	for _, scenario := range []string{"008-zeek-mixed", "010-zeek-mixed"} {
		path := filepath.Join(testdata.Dir(t, "zeek/stratosphere/"+scenario), "data", "conn.log.labeled.gz")
		labels, err := ReadLabels(path)
		if err != nil {
			t.Fatal(err)
		}
		whole := strip(t, path, func(string) bool { return true })
		for _, train := range []string{cloud, whole} {
			for share, want := range map[float64]float64{1: .97, .05: .95, .01: .75} {
				name := fmt.Sprintf("%s/self=%v/%g", scenario, train == whole, share)
				t.Run(name, func(t *testing.T) {
					dir := strip(t, path, thin(labels, share))
					from := train
					if train == whole {
						from = dir
					}
					r, err := Run(context.Background(), scorer.Config{}, dir, trained(t, from), labels)
					if err != nil {
						t.Fatal(err)
					}
					t.Logf("AUROC %.4f AP %.4f found %.2f %% false %.3f %%", r.AUROC, r.AP, 100*r.Detected, 100*r.FalsePositive)
					if r.AUROC < .99 || r.Detected < want || r.FalsePositive > .005 {
						t.Error("below the bar")
					}
				})
			}
		}
	}
}

// thin keeps all benign connections, and of the malicious as many as make up share.
func thin(labels Labels, share float64) func(string) bool {
	good, bad := 0, 0
	for _, l := range labels {
		if l.Malicious {
			bad++
		} else {
			good++
		}
	}
	p := share / (1 - share) * float64(good) / float64(bad)
	rng := rand.New(rand.NewPCG(11, 1))
	return func(uid string) bool { return share >= 1 || !labels[uid].Malicious || rng.Float64() < p }
}

func TestCommandAndControlIsFound(t *testing.T) {
	dir := testdata.Dir(t, "zeek/stratosphere/001-zeek-scenario-malicious")
	labels, err := ReadLabels(filepath.Join(dir, "labeled-conn.log.gz"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := Run(context.Background(), scorer.Config{}, dir, nil, labels)
	if err != nil {
		t.Fatal(err)
	}
	if f := r.Summary.Findings; len(f) != 1 || f[0].Detector != "beacon" || r.Detected < .95 || r.FalsePositive > .005 {
		t.Errorf("found %.2f, false %.3f, %+v", r.Detected, r.FalsePositive, f)
	}
}

func TestAScanIsOneFinding(t *testing.T) {
	sum, err := scorer.Files(context.Background(), scorer.Config{}, testdata.Dir(t, "zeek/stratosphere/002-zeek-scenario-port-scanning"), nil, scorer.Sinks{})
	if err != nil {
		t.Fatal(err)
	}
	if len(sum.Findings) != 1 || sum.Findings[0].Detector != "scan" {
		t.Errorf("%d findings: %+v", len(sum.Findings), sum.Findings)
	}
}

// An address that the Internet can reach is probed by thousands of sources a day; a person
// should get a handful of findings of it.
func TestInternetNoiseIsGrouped(t *testing.T) {
	if testing.Short() {
		t.Skip("accuracy takes long; it is measured without -short")
	}
	sum, err := scorer.Files(context.Background(), scorer.Config{}, testdata.Dir(t, "zeek/cloudhost_3days"), nil, scorer.Sinks{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range sum.Findings {
		t.Logf("%s: %s; %s", f.Severity, f.Title, f.Reasons[0])
	}
	if n := len(sum.Findings); n > 6 {
		t.Errorf("%d findings in two days", n)
	}
}

func TestOrdinaryTrafficIsQuiet(t *testing.T) {
	sum, err := scorer.Files(context.Background(), scorer.Config{}, testdata.Dir(t, "zeek/dataleak/good"), nil, scorer.Sinks{})
	if err != nil {
		t.Fatal(err)
	}
	if sum.Flagged > 0 || len(sum.Findings) > 0 {
		t.Errorf("%d of %d flagged, %+v", sum.Flagged, sum.Connections, sum.Findings)
	}
}

// TestInjected mixes every kind of attack into 100,000 connections of an office, two
// times over: each has a finding of its own, and no honest host has one to look at.
func TestInjected(t *testing.T) {
	if testing.Short() {
		t.Skip("accuracy takes long; it is measured without -short")
	}
	for seed := range uint64(2) {
		site, attacked := t.TempDir(), filepath.Join(t.TempDir(), "attacked")
		if err := inject.Office(site, 100_000, seed); err != nil {
			t.Fatal(err)
		}
		if _, err := inject.Copy(context.Background(), site, attacked, inject.Kinds(), seed); err != nil {
			t.Fatal(err)
		}
		labels, err := ReadLabels(filepath.Join(attacked, "labels.csv"))
		if err != nil {
			t.Fatal(err)
		}
		r, err := Run(context.Background(), scorer.Config{}, attacked, trained(t, attacked), labels)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range r.Kinds {
			if k.Findings == 0 {
				t.Errorf("seed %d: %s: no finding, %d of %d connections flagged", seed, k.Name, k.Flagged, k.Connections)
			}
		}
		t.Logf("seed %d: AUROC %.4f, found %.1f %%, falsely flagged %.4f %%", seed, r.AUROC, 100*r.Detected, 100*r.FalsePositive)
		if r.FalsePositive > .001 || r.AUROC < .99 || len(r.Kinds) != len(inject.Kinds()) {
			t.Errorf("seed %d: below the bar, %d kinds", seed, len(r.Kinds))
		}
		for _, f := range r.FalseFindings {
			t.Errorf("seed %d: a finding about an honest host: %s: %s", seed, f.Severity, f.Title)
		}
	}
}

// The labels of IoT-23 call 52 retries of the malware's own server, and SYN floods of two
// addresses, benign.
func TestInternetOfThings(t *testing.T) {
	raw := testdata.Unxz(t, filepath.Join(testdata.Dir(t, "zeek/iot23_34_1"), "conn.log.labeled.xz"))
	labelled := filepath.Join(t.TempDir(), "labels.log")
	if err := os.WriteFile(labelled, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	labels, err := ReadLabels(labelled)
	if err != nil {
		t.Fatal(err)
	}
	var plain bytes.Buffer
	for line := range strings.Lines(string(raw)) {
		line, _, _ = strings.Cut(strings.TrimSuffix(line, "\n"), "   ") // the labels stand behind blanks
		fmt.Fprintln(&plain, line)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "conn.log"), plain.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	r, err := Run(context.Background(), scorer.Config{}, dir, nil, labels)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range r.Kinds {
		if k.Findings == 0 {
			t.Errorf("no finding about %s", k.Name)
		}
	}
	t.Logf("AUROC %.4f, found %.2f %%, falsely flagged %.2f %%", r.AUROC, 100*r.Detected, 100*r.FalsePositive)
	if r.AUROC < .99 || r.Detected < .97 || r.FalsePositive > .005 || len(r.Kinds) != 3 {
		t.Errorf("below the bar, %d kinds", len(r.Kinds))
	}
}
