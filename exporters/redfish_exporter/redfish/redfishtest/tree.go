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
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Load reads a tree of JSON files: a folder, or a .tar.gz or .tar.xz archive of one. A
// resource is known by its own @odata.id, or else by where its file lies.
func Load(path string) (map[string]any, error) {
	files, err := Files(path)
	if err != nil {
		return nil, err
	}
	tree := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		Add(tree, name, files[name])
	}
	return tree, nil
}

// Files reads the JSON files of a folder or an archive, by their names in it.
func Files(path string) (map[string][]byte, error) {
	files := map[string][]byte{}
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !st.IsDir() {
		return files, unpack(path, files)
	}
	return files, filepath.WalkDir(path, func(file string, d fs.DirEntry, err error) error {
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
		files[filepath.ToSlash(rel)] = raw
		return nil
	})
}

func unpack(path string, files map[string][]byte) error {
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
		files[h.Name] = raw
	}
}

// Add puts the answer in a file into a tree. What is no JSON object is left out.
func Add(tree map[string]any, name string, raw []byte) {
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
