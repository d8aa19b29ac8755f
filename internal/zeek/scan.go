package zeek

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// Position is how far one file was read. A file is known by a hash of its beginning, so
// that renaming and compressing it, as Zeek's rotation does, does not lose the place.
type Position struct {
	Head    string    `json:"head"`     // SHA-256 of the first HeadLen bytes, uncompressed
	HeadLen int       `json:"head_len"` //
	Offset  int64     `json:"offset"`   // bytes read, uncompressed
	Lines   int       `json:"lines"`    // lines read
	Size    int64     `json:"size"`     // of the file on disk when it was read
	ModTime time.Time `json:"mod_time"`
	Seen    time.Time `json:"seen"` // when the file was last there
}

// Cursor is the Position in every file, by path. The zero value has read nothing.
type Cursor map[string]Position

const (
	headLen = 2048
	// keepGone is how long the position of a file that is not there is kept: it may be on
	// its way to another name.
	keepGone = 48 * time.Hour
	// settled is how long a file must rest before its last line counts without a newline.
	settled = 5 * time.Minute
)

// Origin is where a record was read.
type Origin struct {
	Path string
	Line int
}

func (o Origin) String() string { return fmt.Sprintf("%s:%d", o.Path, o.Line) }

// Handler takes what Scan reads. Conn or App may be nil for logs that are not scanned.
// The records and the text of a bad line are valid during the call only. An error stops
// the scan.
type Handler struct {
	Conn func(c *Conn, o Origin) error
	App  func(a *App, k Kind, o Origin) error
	Bad  func(o Origin, text []byte, err error) error
}

// Scanner reads all logs of a directory from where the Cursor stands.
type Scanner struct {
	Dir   string
	Final bool // take the last line of every file for complete
	Now   func() time.Time
}

// Scan reads the log kind. It returns the new cursor, which is to be saved only after what
// was read has been dealt with; cur is not changed. Files that are no logs are reported to
// h.Bad with line 0 and skipped.
func (s Scanner) Scan(ctx context.Context, kind Kind, cur Cursor, h Handler) (Cursor, error) {
	files, err := Files(s.Dir, kind)
	if err != nil {
		return nil, err
	}
	now := time.Now
	if s.Now != nil {
		now = s.Now
	}
	next := Cursor{}
	used := map[string]bool{}
	for _, path := range files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		pos, err := s.file(ctx, path, kind, cur, h, now())
		var cb *callbackError
		switch {
		case errors.As(err, &cb):
			return nil, cb.err
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			if err := h.Bad(Origin{Path: path}, nil, err); err != nil {
				return nil, err
			}
		}
		if pos.Head != "" {
			pos.Seen = now()
			next[path], used[pos.Head] = pos, true
		}
	}
	for path, pos := range cur {
		if _, ok := next[path]; !ok && !used[pos.Head] && now().Sub(pos.Seen) < keepGone {
			next[path] = pos
		}
	}
	return next, nil
}

// callbackError is an error of the Handler, to tell it from one of the file.
type callbackError struct{ err error }

func (e *callbackError) Error() string { return e.err.Error() }

// file reads what is new in one file. With an error the Position still says how far.
func (s Scanner) file(ctx context.Context, path string, kind Kind, cur Cursor, h Handler, now time.Time) (pos Position, err error) {
	st, err := os.Stat(path)
	if err != nil {
		return Position{}, err
	}
	if old, ok := cur[path]; ok && old.Size == st.Size() && old.ModTime.Equal(st.ModTime()) && now.Sub(st.ModTime()) > 2*settled {
		return old, nil
	}
	f, err := open(path)
	if err != nil {
		return cur[path], err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	head := make([]byte, headLen)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return cur[path], fmt.Errorf("read %s: %w", path, err)
	}
	pos = cur.find(path, head[:n])
	if !f.compressed && pos.Offset > st.Size() {
		pos = Position{} // the file was cut: it is another one now
	}
	pos.HeadLen, pos.Head = n, hash(head[:n])
	r, err := s.resume(f, head[:n], kind, pos)
	if err != nil {
		return pos, fmt.Errorf("read %s: %w", path, err)
	}
	if s.Final || f.compressed || now.Sub(st.ModTime()) > settled {
		r.AllowPartial()
	}
	err = deliver(ctx, r, kind, path, h)
	pos.Offset, pos.Lines, pos.Size, pos.ModTime = max(pos.Offset, r.Offset()), r.Line(), st.Size(), st.ModTime()
	if err != nil {
		pos.ModTime = time.Time{} // look again
	}
	return pos, err
}

// resume makes the Reader that goes on at pos; head is what was already read of f.
func (s Scanner) resume(f *stream, head []byte, kind Kind, pos Position) (*Reader, error) {
	if !f.compressed && pos.Offset > headLen {
		if _, err := f.file.Seek(0, io.SeekStart); err != nil {
			return nil, err
		}
		header, err := headerLines(f.file)
		if err != nil {
			return nil, err
		}
		if pos.Offset >= int64(len(header)) {
			if _, err := f.file.Seek(pos.Offset, io.SeekStart); err != nil {
				return nil, err
			}
			r := NewReader(io.MultiReader(bytes.NewReader(header), f.file), kind, pos.Offset)
			r.offset = pos.Offset - int64(len(header))
			r.line = pos.Lines - bytes.Count(header, []byte{'\n'})
			return r, nil
		}
		if _, err := f.file.Seek(int64(len(head)), io.SeekStart); err != nil {
			return nil, err
		}
	}
	return NewReader(io.MultiReader(bytes.NewReader(head), f), kind, pos.Offset), nil
}

// headerLines returns the # lines a TSV log starts with.
func headerLines(r io.Reader) ([]byte, error) {
	buf := make([]byte, 64<<10)
	n, err := io.ReadFull(r, buf)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, err
	}
	buf = buf[:n]
	end := 0
	for end < len(buf) && buf[end] == '#' {
		i := bytes.IndexByte(buf[end:], '\n')
		if i < 0 {
			break
		}
		end += i + 1
	}
	return buf[:end], nil
}

// deliver hands out all records of r.
func deliver(ctx context.Context, r *Reader, kind Kind, path string, h Handler) error {
	var c Conn
	var a App
	for n := 0; ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		var err, cerr error
		if kind == KindConn {
			if err = r.Conn(&c); err == nil {
				cerr = h.Conn(&c, Origin{path, r.Line()})
			}
		} else if err = r.App(&a); err == nil {
			cerr = h.App(&a, kind, Origin{path, r.Line()})
		}
		var bad *LineError
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &bad):
			cerr = h.Bad(Origin{path, bad.Line}, bad.Text, bad.Err)
		case err != nil:
			return fmt.Errorf("read %s: %w", path, err)
		}
		if cerr != nil {
			return &callbackError{cerr}
		}
	}
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// find returns the position of the file that starts with head: under its own path, or
// under the one it had before rotation.
func (c Cursor) find(path string, head []byte) Position {
	full := hash(head)
	fits := func(p Position) bool {
		switch {
		case p.HeadLen == 0 || p.HeadLen > len(head):
			return false
		case p.HeadLen == len(head):
			return p.Head == full
		}
		return p.Head == hash(head[:p.HeadLen])
	}
	if p, ok := c[path]; ok && fits(p) {
		return p
	}
	for _, p := range c {
		if fits(p) {
			return p
		}
	}
	return Position{}
}
