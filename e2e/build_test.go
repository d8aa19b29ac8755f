//go:build e2e

package e2e

import (
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestSmallBinariesBuildFast builds every small binary as make does, with what the build
// cache holds of its dependencies.
func TestSmallBinariesBuildFast(t *testing.T) {
	for _, dir := range smallMains(t) {
		began := time.Now()
		cmd := exec.CommandContext(t.Context(), "go", "build", "-p", "2", "-trimpath", "-tags", "gosnmp_nodebug", "-ldflags", "-s -w", "-o", filepath.Join(t.TempDir(), "bin"), "../"+dir)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", dir, err, out)
			continue
		}
		took := time.Since(began)
		bar(t, "build of "+dir, took.Round(100*time.Millisecond).String(), "< 60 s", took < time.Minute)
	}
}
