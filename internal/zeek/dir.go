package zeek

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// maxFiles bounds how many files one directory tree may hold of one log.
const maxFiles = 100_000

// ErrFormat says that a file is not a log in a form that can be read.
var ErrFormat = errors.New("neither a Zeek TSV log nor JSON lines")

// Files lists the files of the log kind in dir and below it, oldest first: Zeek's archive
// has a folder a day, rotated names carry the hour, and "current" and the plain name sort
// after both. dir may also be one file, which is then taken for that log if its name fits
// or kind is KindConn.
func Files(dir string, kind Kind) ([]string, error) {
	st, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("zeek logs: %w", err)
	}
	if !st.IsDir() {
		if kind == KindConn || named(filepath.Base(dir), kind) {
			return []string{dir}, nil
		}
		return nil, nil
	}
	var out []string
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if path == dir {
				return err
			}
			return nil // a folder that vanished or may not be read
		}
		if !d.IsDir() && named(d.Name(), kind) {
			if out = append(out, path); len(out) > maxFiles {
				return fmt.Errorf("more than %d %s logs below %s", maxFiles, kind, dir)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("zeek logs: %w", err)
	}
	slices.Sort(out)
	return out, nil
}

// named tells whether a file name is one that Zeek, its rotation or Suricata gives to kind.
func named(base string, kind Kind) bool {
	if base == "eve.json" || strings.HasPrefix(base, "eve.json.") {
		return true
	}
	rest, ok := strings.CutPrefix(base, kind.String())
	if !ok || strings.HasPrefix(rest, "-summary") {
		return false
	}
	return strings.ContainsAny(rest[:min(1, len(rest))], "._-") && (strings.Contains(rest, ".log") || strings.HasSuffix(rest, ".json"))
}

// stream is an open log file, decompressed.
type stream struct {
	io.Reader
	file       *os.File
	compressed bool
	close      func() error
}

func (s *stream) Close() error {
	if s.close != nil {
		return errors.Join(s.close(), s.file.Close())
	}
	return s.file.Close()
}

// open opens path and undoes gzip or zstd, whichever its first bytes show.
func open(path string) (*stream, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	magic := make([]byte, 6)
	n, err := io.ReadFull(f, magic)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, errors.Join(err, f.Close())
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	magic = magic[:n]
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(bufio.NewReaderSize(f, 64<<10))
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
		}
		return &stream{Reader: z, file: f, compressed: true, close: z.Close}, nil
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(f, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(256<<20))
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
		}
		return &stream{Reader: z, file: f, compressed: true, close: func() error { z.Close(); return nil }}, nil
	case !logLike(magic):
		return nil, errors.Join(fmt.Errorf("%s: %w", path, ErrFormat), f.Close())
	}
	return &stream{Reader: f, file: f}, nil
}

// logLike tells whether a file that begins so can be a TSV log or JSON lines.
func logLike(magic []byte) bool {
	magic = bytes.TrimLeft(magic, " \t\r\n")
	return len(magic) == 0 || magic[0] == '#' || magic[0] == '{'
}
