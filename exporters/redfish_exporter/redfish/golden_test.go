package redfish

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/inframind/inframind/exporters/redfish_exporter/redfish/redfishtest"
)

// TestVendors scrapes a small service in each vendor's style, without and with $expand, and
// compares the metrics with the golden file beside it. UPDATE_GOLDEN=1 rewrites them.
func TestVendors(t *testing.T) {
	files, err := filepath.Glob("testdata/vendors/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			t.Parallel()
			golden := strings.TrimSuffix(file, ".json") + ".prom"
			got := goldenText(scrapeVendor(t, file, 0))
			problems, err := promlint.New(strings.NewReader(got)).Lint()
			if err != nil || len(problems) > 0 {
				t.Errorf("lint: %v %v", problems, err)
			}
			if os.Getenv("UPDATE_GOLDEN") != "" {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("metrics differ (-want +got):\n%s", diff)
			}
			for _, levels := range []int{1, 6} {
				if diff := cmp.Diff(got, goldenText(scrapeVendor(t, file, levels))); diff != "" {
					t.Errorf("with $expand to level %d metrics differ (-plain +expanded):\n%s", levels, diff)
				}
			}
		})
	}
}

func scrapeVendor(t *testing.T, file string, levels int) string {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := json.Unmarshal(raw, &tree); err != nil {
		t.Fatal(err)
	}
	svc := &redfishtest.Service{Tree: tree}
	if levels > 0 {
		svc.OfferExpand(levels)
	}
	web := serve(t, svc) // before the driver, so that it is there for the log-out
	return scrapeText(t, newDriver(t, nil), web, 10*time.Second)
}

// goldenText drops what differs from run to run.
func goldenText(text string) string {
	var out []string
	for line := range strings.SplitAfterSeq(text, "\n") {
		if !strings.Contains(line, "_duration_seconds") && !strings.Contains(line, "_age_seconds") {
			out = append(out, line)
		}
	}
	return strings.Join(out, "")
}
