package agent

import (
	"bufio"
	"compress/bzip2"
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxFile bounds an unpacked recording, in bytes.
const maxFile = 1 << 30

// ReadFile reads a recording that may be packed as .gz or .bz2.
func ReadFile(path string) (d *Device, skipped int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = f.Close() }() // only read
	var r io.Reader = bufio.NewReader(f)
	switch filepath.Ext(path) {
	case ".gz":
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, 0, fmt.Errorf("%s: %w", path, err)
		}
		r = z
	case ".bz2":
		r = bzip2.NewReader(r)
	}
	return Read(io.LimitReader(r, maxFile))
}

// Community is the community under which the recording at path is served: its base name.
func Community(path string) string {
	name := filepath.Base(path)
	for _, ext := range []string{".gz", ".bz2", ".snmprec", ".snmpwalk"} {
		name = strings.TrimSuffix(name, ext)
	}
	return name
}

// Communities are the names that the server answers to.
func (s *Server) Communities() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(s.Devices)), func(n string) bool { return n == "" })
}
