package redfishtest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Load reads a tree of JSON files: a folder, or a .tar.gz or .tar.xz archive of one. A
// resource is known by its own @odata.id, or else by where its file lies.
func Load(path string) (map[string]any, error) {
	tree := map[string]any{}
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !st.IsDir() {
		return tree, loadArchive(path, tree)
	}
	return tree, filepath.WalkDir(path, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(file, ".json") {
			return err
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(path, file)
		if err != nil {
			return err
		}
		add(tree, filepath.ToSlash(rel), raw)
		return nil
	})
}

func loadArchive(path string, tree map[string]any) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var r io.Reader
	if strings.HasSuffix(path, ".xz") {
		out, err := exec.Command("xz", "-dc", path).Output()
		if err != nil {
			return fmt.Errorf("unpack %s: %w", path, err)
		}
		r = bytes.NewReader(out)
	} else if r, err = gzip.NewReader(bytes.NewReader(raw)); err != nil {
		return fmt.Errorf("unpack %s: %w", path, err)
	}
	tr := tar.NewReader(r)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("unpack %s: %w", path, err)
		}
		if !strings.HasSuffix(h.Name, ".json") {
			continue
		}
		raw, err := io.ReadAll(tr)
		if err != nil {
			return fmt.Errorf("unpack %s: %w", path, err)
		}
		add(tree, h.Name, raw)
	}
}

func add(tree map[string]any, name string, raw []byte) {
	var v map[string]any
	if json.Unmarshal(bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf")), &v) != nil {
		return // fragments and broken recordings are no resources
	}
	id, _ := v["@odata.id"].(string)
	if id == "" || strings.Contains(id, "#") {
		id = "/redfish/v1/" + strings.TrimSuffix(strings.TrimSuffix(name, ".json"), "/index")
	}
	tree[strings.TrimRight(id, "/")] = v
}
