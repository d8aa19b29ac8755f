package demo

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

// stream is a file of lines in time order that goes on where an earlier run stopped.
type stream struct {
	path string
	f    *os.File
	w    *bufio.Writer
	last time.Time // second of the last line that is in the file
}

// tailSize is how much of an existing file is read to find its last line.
const tailSize = 64 << 10

// openStream opens path for appending. A line that a crash cut short is removed, and
// timeOf tells the time of the last whole one; ok is false for lines without a time.
func openStream(path string, timeOf func(line []byte) (t time.Time, ok bool)) (*stream, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, fmt.Errorf("demo stream: %w", err)
	}
	s := &stream{path: path, f: f}
	if err := s.resume(timeOf); err != nil {
		return nil, errors.Join(fmt.Errorf("demo stream %s: %w", path, err), f.Close())
	}
	s.w = bufio.NewWriterSize(f, 256<<10)
	return s, nil
}

func (s *stream) resume(timeOf func([]byte) (time.Time, bool)) error {
	size, err := s.f.Seek(0, io.SeekEnd)
	if err != nil || size == 0 {
		return err
	}
	from := max(0, size-tailSize)
	buf := make([]byte, size-from)
	if _, err := s.f.ReadAt(buf, from); err != nil {
		return err
	}
	whole := bytes.LastIndexByte(buf, '\n') + 1
	if err := s.f.Truncate(from + int64(whole)); err != nil {
		return err
	}
	if _, err := s.f.Seek(0, io.SeekEnd); err != nil {
		return err
	}
	lines := bytes.Split(bytes.TrimSuffix(buf[:whole], []byte("\n")), []byte("\n"))
	for _, line := range slices.Backward(lines) {
		if t, ok := timeOf(line); ok {
			s.last = t.Truncate(time.Second)
			return nil
		}
	}
	// A header alone: begin anew.
	if err := s.f.Truncate(0); err != nil {
		return err
	}
	_, err = s.f.Seek(0, io.SeekStart)
	return err
}

// advance calls write for every second after the last one up to to, and flushes.
func (s *stream) advance(to time.Time, write func(second time.Time) error) error {
	to = to.Truncate(time.Second)
	t := s.last.Add(time.Second)
	if oldest := to.Add(-backfill); t.Before(oldest) {
		t = oldest
	}
	for ; !t.After(to); t = t.Add(time.Second) {
		if err := write(t); err != nil {
			return fmt.Errorf("demo stream %s: %w", s.path, err)
		}
		s.last = t
	}
	if err := s.w.Flush(); err != nil {
		return fmt.Errorf("demo stream %s: %w", s.path, err)
	}
	return nil
}

// Close flushes and closes the file.
func (s *stream) Close() error { return errors.Join(s.w.Flush(), s.f.Close()) }
