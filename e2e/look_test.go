//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"image/png"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/inframind/inframind/dashboards"
)

// TestDashboardsShowData runs every query of every dashboard against the demo. The demo
// has no devices.
func TestDashboardsShowData(t *testing.T) {
	p, base := startInfraMind(t, binary(t, "inframind"), t.TempDir(), "--demo")
	for _, d := range dashboards.All() {
		for _, panel := range d.Panels {
			if panel.Devices {
				continue
			}
			for _, q := range panel.Queries() {
				eventually(t, 2*time.Minute, d.Title+": "+panel.Title+" has data", func() error { return hasData(base, q) }, p)
			}
		}
	}
}

func hasData(base, query string) error {
	body, err := get(base + "/prometheus/api/v1/query?query=" + url.QueryEscape(query))
	if err != nil {
		return err
	}
	var res struct {
		Data struct{ Result []json.RawMessage }
	}
	if err := json.Unmarshal([]byte(body), &res); err != nil {
		return err
	}
	if len(res.Data.Result) == 0 {
		return fmt.Errorf("%s gives nothing", query)
	}
	return nil
}

// TestStartPageInABrowser looks at the start page as people do. With E2E_SCREENSHOTS set
// the pictures are kept there; docs/screenshots was made so.
func TestStartPageInABrowser(t *testing.T) {
	browser := debian(t, "chromium", "chromium")
	bin := binary(t, "inframind")
	p, base := startInfraMind(t, bin, t.TempDir(), "--demo")
	eventually(t, 2*time.Minute, "every row is alive", func() error { _, err := livingRows(t, bin, base); return err }, p)
	page, err := get(base + "/")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(page, "<script") || !strings.Contains(page, `http-equiv="refresh"`) {
		t.Error("the page needs JavaScript or does not refresh itself")
	}
	dir := os.Getenv("E2E_SCREENSHOTS")
	if dir == "" {
		dir = t.TempDir()
	}
	for _, s := range []struct {
		name, size string
		dark       bool
		width      int
	}{{"start-light", "1400,1700", false, 1400}, {"start-dark", "1400,1700", true, 1400}, {"start-phone", "500,2400", false, 500}} {
		file := filepath.Join(dir, s.name+".png")
		screenshot(t, browser, base+"/", file, s.size, s.dark)
		if got := colours(t, file, s.width); got < 30 {
			t.Errorf("%s has %d colours only: is it empty?", s.name, got)
		}
	}
}

func screenshot(t *testing.T, browser, address, file, size string, dark bool) {
	t.Helper()
	args := []string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--hide-scrollbars", "--user-data-dir=" + t.TempDir(), "--window-size=" + size, "--screenshot=" + file,
	}
	if dark {
		args = append(args, "--blink-settings=preferredColorScheme=0")
	}
	if out, err := exec.CommandContext(t.Context(), browser, append(args, address)...).CombinedOutput(); err != nil {
		t.Fatalf("chromium: %v\n%s", err, tail(string(out), 2000))
	}
}

// colours counts the different colours of a picture of the given width.
func colours(t *testing.T, file string, width int) int {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	b := img.Bounds()
	if b.Dx() != width {
		t.Errorf("%s is %d pixels wide, want %d", file, b.Dx(), width)
	}
	seen := map[[4]uint32]bool{}
	for y := b.Min.Y; y < b.Max.Y; y += 2 {
		for x := b.Min.X; x < b.Max.X; x += 2 {
			r, g, bl, a := img.At(x, y).RGBA()
			seen[[4]uint32{r, g, bl, a}] = true
		}
	}
	return len(seen)
}
