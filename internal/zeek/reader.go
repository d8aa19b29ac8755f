package zeek

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// maxLine bounds one record; Zeek's own are below 16 KiB.
const maxLine = 256 << 10

// LineError is one record that could not be understood. Reading goes on after it.
type LineError struct {
	Line int    // counted from 1 in what this Reader has read
	Text []byte // the record as it is in the file, at most 4 KiB of it; valid until the next call
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap returns the cause.
func (e *LineError) Unwrap() error { return e.Err }

// Reader reads the records of one log. It is not safe for concurrent use.
type Reader struct {
	h       header
	br      *bufio.Reader
	strings interner
	json    jsonDecoder
	line    int
	offset  int64 // after the last complete line that was handed out
	partial bool
	skip    int64
}

// NewReader reads the log kind from r. resume is how many bytes of it were read before:
// of those, only the header lines are looked at. It is for streams that cannot seek.
func NewReader(r io.Reader, kind Kind, resume int64) *Reader {
	return &Reader{h: newHeader(kind), br: bufio.NewReaderSize(r, maxLine), strings: interner{}, skip: resume}
}

// AllowPartial makes the Reader take a last line that has no newline for complete.
// Without it such a line is left for the next run, when its writer may have finished it.
func (r *Reader) AllowPartial() { r.partial = true }

// Offset is how many bytes were consumed.
func (r *Reader) Offset() int64 { return r.offset }

// Line is the number of the line last read.
func (r *Reader) Line() int { return r.line }

// Conn reads the next connection into c. It returns io.EOF at the end of the log and a
// *LineError for a line that is no connection.
func (r *Reader) Conn(c *Conn) error {
	for {
		line, err := r.next()
		if err != nil {
			return err
		}
		c.reset()
		if line[0] == '{' {
			err = r.json.conn(line, c, r.strings)
		} else {
			err = r.h.each(line, func(f field, v []byte) error { return c.set(f, v, r.strings) })
		}
		if errors.Is(err, ErrOtherRecord) {
			continue
		}
		if err == nil {
			err = c.check()
		}
		return r.fail(err, line)
	}
}

// App is Conn for the dns, ssl and http logs.
func (r *Reader) App(a *App) error {
	for {
		line, err := r.next()
		if err != nil {
			return err
		}
		*a = App{Time: -1}
		if line[0] == '{' {
			err = r.json.app(line, r.h.kind, a)
		} else {
			err = r.h.each(line, func(f field, v []byte) error { return a.set(f, v, r.strings) })
		}
		if errors.Is(err, ErrOtherRecord) {
			continue
		}
		if err == nil {
			err = a.check()
		}
		return r.fail(err, line)
	}
}

func (r *Reader) fail(err error, line []byte) error {
	if err == nil {
		return nil
	}
	return &LineError{Line: r.line, Text: line[:min(len(line), 4096)], Err: err}
}

// next returns the next line that is neither empty nor a header line nor read before.
func (r *Reader) next() ([]byte, error) {
	for {
		line, err := r.readLine()
		if err != nil {
			return nil, err
		}
		seen := r.offset <= r.skip
		switch {
		case len(line) == 0:
		case line[0] == '#', len(line) < maxLine/2 && bytes.HasPrefix(bytes.TrimLeft(line, " \t"), []byte{'#'}):
			if err := r.h.directive(string(bytes.TrimLeft(line, " \t"))); err != nil && !seen {
				if errors.Is(err, ErrKind) {
					return nil, err
				}
				return nil, r.fail(err, line)
			}
		case !seen:
			return line, nil
		}
	}
}

// readLine returns one line without its newline. A line longer than maxLine is returned
// cut: it will not parse and ends up with the malformed ones.
func (r *Reader) readLine() ([]byte, error) {
	line, err := r.br.ReadSlice('\n')
	n := int64(len(line))
	switch {
	case err == nil:
	case errors.Is(err, bufio.ErrBufferFull):
		line = bytes.Clone(line[:4096])
		for errors.Is(err, bufio.ErrBufferFull) {
			var rest []byte
			rest, err = r.br.ReadSlice('\n')
			n += int64(len(rest))
		}
		if err != nil && (!errors.Is(err, io.EOF) || !r.partial) {
			return nil, err
		}
	case errors.Is(err, io.EOF) && len(line) > 0 && r.partial:
	default:
		return nil, err
	}
	r.line++
	r.offset += n
	line = bytes.TrimSuffix(line, []byte{'\n'})
	return bytes.TrimSuffix(line, []byte{'\r'}), nil
}
