package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

type sample struct {
	Name  string `yaml:"name"`
	Count int    `yaml:"count"`
}

func (s *sample) Validate() error {
	if s.Count < 0 {
		return errors.New("count: must not be negative")
	}
	return nil
}

func TestParseErrorsNameFileAndLine(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"unknown key", "name: a\ncuont: 1\n", `f.yml:2: unknown field "cuont" (check its spelling and indentation)`},
		{"wrong type", "name: a\ncount: many\n", "f.yml:2: cannot unmarshal !!str `many` into int"},
		{"repeated", "name: a\nname: b\n", `f.yml:2: field "name" is set twice (remove one)`},
		{"syntax", "name: [a\ncount: 1\n", "f.yml:1: did not find expected ',' or ']'"},
		{"validator", "count: -1\n", "f.yml: count: must not be negative"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := Parse("f.yml", []byte(tc.in), &sample{})
			if err == nil || err.Error() != tc.want {
				t.Fatalf("got %v, want %s", err, tc.want)
			}
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("%T is not an *Error", err)
			}
		})
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	if err := Load(filepath.Join(dir, "none.yml"), &sample{}); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Fatalf("missing file: %v", err)
	}
	if err := Load(dir, &sample{}); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Fatalf("directory: %v", err)
	}
	f := filepath.Join(dir, "ok.yml")
	if err := os.WriteFile(f, []byte("name: x\ncount: 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var s sample
	if err := Load(f, &s); err != nil || s != (sample{"x", 3}) {
		t.Fatalf("got %+v, %v", s, err)
	}
}
