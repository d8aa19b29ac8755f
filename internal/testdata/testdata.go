// Package testdata finds the recordings that tests read when they are at hand. They are
// not part of this repository.
package testdata

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// Root is the folder of recordings: INFRAMIND_TESTDATA, or ../shared/data beside the
// repository.
func Root() string {
	if dir := os.Getenv("INFRAMIND_TESTDATA"); dir != "" {
		return dir
	}
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "..", "shared", "data")
}

// Dir returns the path of rel below Root and skips the test when it is absent.
func Dir(tb testing.TB, rel string) string {
	tb.Helper()
	path := filepath.Join(Root(), filepath.FromSlash(rel))
	if _, err := os.Stat(path); err != nil {
		tb.Skipf("recordings %s are not here; set INFRAMIND_TESTDATA to the folder that holds them", rel)
	}
	return path
}

// Unxz unpacks the recording at path and skips the test where the program xz is missing.
// A recording that it cannot unpack is a failure.
func Unxz(tb testing.TB, path string) []byte {
	tb.Helper()
	if _, err := exec.LookPath("xz"); err != nil {
		tb.Skip("xz is not installed (Debian package xz-utils)")
	}
	raw, err := exec.CommandContext(tb.Context(), "xz", "-dc", path).Output()
	if err != nil {
		tb.Fatalf("unpack %s: %v", path, err)
	}
	return raw
}
