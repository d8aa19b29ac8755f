package e2e

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/inframind/inframind/"

// unit is the part of the tree that a package belongs to: a component, or one of the
// folders around them.
func unit(pkg string) string {
	first, rest, _ := strings.Cut(pkg, "/")
	if first == "exporters" || first == "cmd" {
		second, _, _ := strings.Cut(rest, "/")
		return first + "/" + second
	}
	return first
}

// allowed tells whether a package of one unit may import one of another.
func allowed(from, to string) bool {
	switch {
	case from == to, to == "internal":
		return true
	case from == "internal":
		return false
	case from == "cmd/inframind": // the one place that knows several components
		return true
	case from == "dashboards", from == "tools":
		return to == "rules"
	case from == "e2e":
		return !strings.HasPrefix(to, "cmd/") // it runs the binaries instead
	default: // components, which also bring no rules into each other
		return false
	}
}

// TestDependenciesPointOneWay parses every file: components never import each other,
// internal imports nothing above it, and only cmd/inframind imports several components.
func TestDependenciesPointOneWay(t *testing.T) {
	files := 0
	err := filepath.WalkDir("..", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() != ".." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(file, ".go") {
			return nil
		}
		files++
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel("..", filepath.Dir(file))
		if err != nil {
			return err
		}
		for _, spec := range f.Imports {
			imp, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			to, ours := strings.CutPrefix(imp, module)
			if from := unit(filepath.ToSlash(rel)); ours && !allowed(from, unit(to)) {
				t.Errorf("%s: %s may not import %s", file, from, imp)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 50 {
		t.Fatalf("only %d files seen: is this test in its place?", files)
	}
}

// embedded are the servers that only cmd/inframind may link: they take minutes to build.
var embedded = []string{
	"github.com/prometheus/prometheus/web", "github.com/prometheus/prometheus/scrape", "github.com/prometheus/prometheus/rules",
	"github.com/prometheus/prometheus/notifier", "github.com/prometheus/prometheus/discovery", "github.com/prometheus/prometheus/tsdb",
	"github.com/prometheus/alertmanager/api", "github.com/prometheus/alertmanager/dispatch", "github.com/prometheus/alertmanager/notify",
	"github.com/prometheus/pushgateway/handler", "github.com/prometheus/pushgateway/storage", "github.com/prometheus/node_exporter/collector",
}

// TestSmallBinariesEmbedNoServer asks the go tool what each small binary links.
func TestSmallBinariesEmbedNoServer(t *testing.T) {
	mains := smallMains(t)
	for _, dir := range mains {
		t.Run(dir, func(t *testing.T) {
			out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "../"+dir).Output()
			if err != nil {
				t.Fatal(err)
			}
			for dep := range strings.FieldsSeq(string(out)) {
				if slices.Contains(embedded, dep) {
					t.Errorf("%s links %s", dir, dep)
				}
			}
		})
	}
}

// smallMains are the folders of every binary but the all-in-one.
func smallMains(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, pattern := range []string{"*/main.go", "exporters/*/main.go"} {
		files, err := filepath.Glob(filepath.Join("..", filepath.FromSlash(pattern)))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			rel, err := filepath.Rel("..", filepath.Dir(f))
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, path.Clean(filepath.ToSlash(rel)))
		}
	}
	if len(out) == 0 {
		t.Fatal("no binary found: is this test in its place?")
	}
	return out
}
