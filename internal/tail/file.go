package tail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"
)

const (
	headMax   = 1024    // bytes that tell one generation of a file from the next
	roundMax  = 1 << 20 // bytes of one file in one round, so that all get their turn
	inheritBy = 64 << 10
)

// file is an open generation.
type file struct {
	pos  *position
	fd   *os.File
	size int64     // at the last look
	mod  time.Time // at the last look
	seen time.Time // when size or mod last changed
	// gone means that pos.Path is no longer this file: it was rotated away or deleted.
	gone bool

	// Where the next line begins, ahead of pos while a batch is not yet written.
	next   int64
	last   time.Time
	lastAt int64
	pinned bool // lines with pos.Clock as their time wait to be written
}

// rewind goes back to what is stored for certain.
func (f *file) rewind() { f.next, f.last, f.lastAt = f.pos.Offset, f.pos.Last, f.pos.LastAt }

func (f *file) close() { _ = f.fd.Close() } // opened for reading only

// inode identifies a file as long as it exists.
type inode struct{ dev, ino uint64 }

func inodeOf(st os.FileInfo) inode {
	sys, ok := st.Sys().(*syscall.Stat_t)
	if !ok {
		return inode{}
	}
	return inode{uint64(sys.Dev), sys.Ino} //nolint:unconvert // Dev is not a uint64 on every platform
}

func (p *position) inode() inode { return inode{p.Dev, p.Ino} }

// hashHead hashes the first n bytes; ok is false if there are fewer.
func hashHead(r io.ReaderAt, n int) (hash string, ok bool, err error) {
	buf := make([]byte, n)
	got, err := r.ReadAt(buf, 0)
	if got < n {
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return "", false, err
	}
	return strconv.FormatUint(xxhash.Sum64(buf), 16), true, nil
}

// matches says whether r begins as p's generation does.
func (p *position) matches(r io.ReaderAt) (bool, error) {
	hash, ok, err := hashHead(r, p.HeadLen)
	return ok && (p.HeadLen == 0 || hash == p.Head), err
}

// learn extends the known head of a file that has grown.
func (p *position) learn(r io.ReaderAt, size int64) error {
	n := int(min(size, headMax))
	if n <= p.HeadLen {
		return nil
	}
	hash, ok, err := hashHead(r, n)
	if ok {
		p.HeadLen, p.Head = n, hash
	}
	return err
}

// look notices growth, truncation and the end of a rotated file.
func (t *Tailer) look(ctx context.Context, f *file) (alive bool, err error) {
	now := time.Now()
	st, err := f.fd.Stat()
	if err != nil {
		t.tellOnce(f.pos.Path, err)
		return false, nil
	}
	if st.Size() == f.size && st.ModTime().Equal(f.mod) {
		if f.gone && f.pos.Offset >= f.size && now.Sub(f.seen) > t.conf.Linger {
			f.pos.Done = true
			t.remove(f)
			return false, t.save(ctx)
		}
		return true, nil
	}
	same, err := f.pos.matches(f.fd)
	if err != nil {
		t.tellOnce(f.pos.Path, err)
		return false, nil
	}
	if st.Size() < f.next || !same {
		if err := t.flush(ctx); err != nil {
			return false, err
		}
		if err := t.truncated(ctx, f, now); err != nil {
			return false, err
		}
	} else if st.Size() == 0 && !f.mod.IsZero() {
		t.unseen(f.pos.Path, f.mod, now) // written to and truncated between two looks
	}
	f.size, f.mod, f.seen = st.Size(), st.ModTime(), now
	return true, f.pos.learn(f.fd, f.size)
}

// truncated begins a new generation. What was not yet read of the old one may be in a copy
// (logrotate's copytruncate): that is read to its end under the old identity.
func (t *Tailer) truncated(ctx context.Context, f *file, now time.Time) error {
	t.metrics.truncations.Inc()
	t.log.Info("log file was truncated", "path", f.pos.Path, "offset", f.pos.Offset)
	old := *f.pos
	t.state.drop(f.pos)
	f.pos = t.state.add(old.Path, old.Dev, old.Ino, now)
	f.rewind()
	t.findCopy(old, now)
	return t.save(ctx)
}

// pump reads the next lines of f into the batch; more says that the round's share did not
// suffice.
func (t *Tailer) pump(ctx context.Context, f *file) (more bool, err error) {
	alive, err := t.look(ctx, f)
	if err != nil || !alive {
		return false, err
	}
	buf := make([]byte, min(roundMax, max(f.size-f.next, 0)))
	if len(buf) == 0 {
		return false, nil
	}
	n, err := f.fd.ReadAt(buf, f.next)
	if err != nil && !errors.Is(err, io.EOF) {
		t.tellOnce(f.pos.Path, err)
		return false, nil
	}
	buf = buf[:n]
	atEnd := f.next+int64(n) >= f.size
	idle := atEnd && time.Since(f.seen) > t.conf.Idle
	for len(buf) > 0 {
		line, used, part := cut(buf, idle)
		if used == 0 {
			break
		}
		t.line(f, line, used, part)
		buf = buf[used:]
		if t.full() {
			if err := t.flush(ctx); err != nil {
				return false, err
			}
		}
	}
	return !atEnd, nil
}

// cut takes one line off buf, or a piece of maxLine bytes of a longer one. used is 0 if the
// line is not complete yet; with last set, what is there is a line.
func cut(buf []byte, last bool) (line []byte, used int, part bool) {
	end := bytes.IndexByte(buf[:min(len(buf), maxLine+1)], '\n')
	switch {
	case end >= 0:
		return buf[:end], end + 1, false
	case len(buf) > maxLine:
		n := maxLine
		for n > maxLine-utf8.UTFMax && !utf8.RuneStart(buf[n]) {
			n-- // a character is not torn
		}
		return buf[:n], n, true
	case last:
		return buf, len(buf), false
	}
	return nil, 0, false
}

// line adds one line, used bytes long with its end, to the batch.
func (t *Tailer) line(f *file, raw []byte, used int, part bool) {
	start := f.next
	f.next += int64(used)
	text := bytes.Trim(bytes.TrimSuffix(raw, []byte("\r")), "\x00")
	if len(bytes.TrimSpace(text)) == 0 {
		t.batch.commit = append(t.batch.commit, f.mark())
		return
	}
	rec := t.lines.parse(string(text), f.pos.Path, f.mod)
	switch {
	case rec.timed:
		f.last, f.lastAt = rec.Time, start
	case !f.last.IsZero() && start-f.lastAt < inheritBy:
		rec.Time = f.last // a continuation, e.g. of a stack trace
	default:
		rec.Time = t.clock(f)
	}
	rec.ID = fmt.Sprintf("%s-%x-%x", f.pos.ID, start, f.next)
	rec.Fields["log.file.path"] = f.pos.Path
	rec.Fields["log.offset"] = start
	if part {
		rec.Fields["log.flags"] = []string{"split"}
	}
	t.add(rec.Document, f.mark())
}

// mark returns what makes f's present place the stored one.
func (f *file) mark() func() {
	pos, next, last, lastAt := f.pos, f.next, f.last, f.lastAt
	return func() {
		pos.Offset, pos.Last, pos.LastAt = next, last, lastAt
		f.pinned = false
	}
}

// clock is the time of lines that carry none. It is saved before such lines are written: a
// replay after a crash must give the same document, and the day is part of its identity.
func (t *Tailer) clock(f *file) time.Time {
	if now := time.Now(); !f.pinned && now.Sub(f.pos.Clock).Abs() > time.Second {
		f.pos.Clock = now.UTC().Truncate(time.Millisecond)
		t.batch.ahead = true
	}
	f.pinned = true
	return f.pos.Clock
}

func (t *Tailer) remove(f *file) {
	f.close()
	for i, g := range t.files {
		if g == f {
			t.files = append(t.files[:i], t.files[i+1:]...)
			return
		}
	}
}
