// Package docs holds no code: its test keeps the documentation whole.
package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func read(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestEveryDirectDependencyHasItsReason(t *testing.T) {
	deps := read(t, "dependencies.md")
	direct := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\s+(\S+) v\S+$`).FindAllStringSubmatch(read(t, "../go.mod"), -1) {
		direct[m[1]] = true
		if !strings.Contains(deps, "| `"+m[1]+"` |") {
			t.Errorf("dependencies.md gives no reason for %s", m[1])
		}
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(deps, -1) {
		if !direct[m[1]] {
			t.Errorf("dependencies.md lists %s, which go.mod does not", m[1])
		}
	}
}

func TestEveryAlertIsInTheRunbook(t *testing.T) {
	book := read(t, "runbook.md")
	files, err := filepath.Glob("../rules/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		for _, m := range regexp.MustCompile(`- alert: (\S+)`).FindAllStringSubmatch(read(t, f), -1) {
			if !strings.Contains(book, "## "+m[1]+"\n") {
				t.Errorf("runbook.md has no section %s (%s)", m[1], filepath.Base(f))
			}
		}
	}
}

func TestLinksLead(t *testing.T) {
	pages, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	adrs, err := filepath.Glob("adr/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(append(pages, adrs...), "../README.md", "../CONTRIBUTING.md") {
		for _, m := range regexp.MustCompile(`\]\(([^)#: ]+)`).FindAllStringSubmatch(read(t, page), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), m[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", page, m[1])
			}
		}
	}
}
