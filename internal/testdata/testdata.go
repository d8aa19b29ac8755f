// Package testdata finds the recordings that tests read when they are at hand. They are
// not part of this repository.
package testdata

import (
	"os"
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
