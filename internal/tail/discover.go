package tail

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

var (
	// skipName are files that hold no lines: login records, archives, journals, apt's copy of a terminal.
	skipName = regexp.MustCompile(`^(wtmp|btmp|utmp|lastlog|faillog|tallylog|term\.log)([.-].*)?$|\.(gz|xz|bz2|zst|lz4|zip|tar|tgz|journal|journal~|db|sqlite|db-wal|db-shm|swp|tmp)$|~$`)
	magics   = []string{"\x1f\x8b", "\xfd7zXZ", "BZh", "\x28\xb5\x2f\xfd", "PK\x03\x04", "LPKSHHRH", "SQLite format 3\x00", "\x7fELF"}
)

// found is one path that a glob gave.
type found struct {
	path string
	info os.FileInfo
	inode
}

// discover opens what is new, notices what was rotated away, and forgets what is no more.
func (t *Tailer) discover(ctx context.Context, now time.Time) error {
	files := t.expand()
	at := map[inode]found{}
	for _, f := range files {
		if _, ok := at[f.inode]; !ok {
			at[f.inode] = f // the first of several links
		}
	}
	before := len(t.state.Files)
	changed := false
	for _, f := range slices.Clone(t.files) {
		here, err := os.Stat(f.pos.Path)
		gone := err != nil || inodeOf(here) != f.pos.inode()
		if gone && !f.gone {
			t.metrics.rotations.Inc()
			t.log.Info("log file was rotated away", "path", f.pos.Path)
			f.seen = now
			t.unseen(f.pos.Path, f.mod, now) // rotated twice since the last look
		}
		f.gone = gone
	}
	for _, p := range slices.Clone(t.state.Files) {
		if t.following(p) {
			continue
		}
		if t.resume(p, at, now) {
			changed = true
		}
	}
	for _, f := range files {
		if !t.knows(f.inode) && t.adopt(f, now) {
			changed = true
		}
	}
	if changed || len(t.state.Files) != before {
		return t.save(ctx)
	}
	return nil
}

func (t *Tailer) following(p *position) bool {
	return slices.ContainsFunc(t.files, func(f *file) bool { return f.pos == p })
}

// expand lists the regular, readable files that the globs name.
func (t *Tailer) expand() []found {
	var out []found
	seen := map[string]bool{}
	for _, g := range t.conf.Files {
		paths, err := filepath.Glob(g)
		if err != nil {
			continue // New has checked the pattern
		}
		for _, p := range paths {
			if seen[p] {
				continue
			}
			seen[p] = true
			if f, ok := t.stat(p); ok {
				out = append(out, f)
			}
		}
	}
	return out
}

func (t *Tailer) stat(path string) (found, bool) {
	if skipName.MatchString(filepath.Base(path)) {
		return found{}, false
	}
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return found{}, false
	}
	return found{path, info, inodeOf(info)}, true
}

// resume opens a position that is not open: after a start, or when a file comes back. A file
// that was rotated while nobody looked is searched beside its path. It returns whether
// positions changed.
func (t *Tailer) resume(p *position, at map[inode]found, now time.Time) bool {
	where, ok := at[p.inode()]
	if !ok {
		where, ok = t.sibling(p.Path, p.inode())
	}
	if !ok {
		// A path that is only unreachable for now (a mount, a permission) keeps its place.
		if _, err := os.Stat(filepath.Dir(p.Path)); err != nil {
			return false
		}
		if !p.Done {
			t.log.Warn("log file is gone; what was not read of it is lost", "path", p.Path, "offset", p.Offset)
		}
		t.state.drop(p)
		return true
	}
	if p.Done {
		if same, err := headIs(where.path, p); err == nil && !same {
			t.state.drop(p) // the inode was given to another file
			return true
		}
		if where.info.Size() <= p.Offset {
			return false
		}
		p.Done = false // somebody still writes to it
	}
	f := t.open(where.path, p, now)
	if f == nil {
		return false
	}
	f.gone = where.path != p.Path
	if !f.gone {
		return true
	}
	t.unseen(p.Path, where.info.ModTime(), now)
	return true
}

// unseen follows the files that were rotated away from path, not before since, without
// anybody having looked at them.
func (t *Tailer) unseen(path string, since, now time.Time) {
	for _, s := range t.siblings(path) {
		if s.info.ModTime().Before(since) || t.knows(s.inode) || t.copyOf(s) {
			continue
		}
		if f := t.open(s.path, t.state.add(path, s.dev, s.ino, now), now); f != nil {
			f.gone = true
		}
	}
}

// adopt follows a file that was never seen: from its start, unless it is a copy of one that
// is known, as logrotate's copytruncate makes; then from where that one was read to.
func (t *Tailer) adopt(f found, now time.Time) bool {
	if t.copyOf(f) {
		return false
	}
	p := t.state.add(f.path, f.dev, f.ino, now)
	if t.open(f.path, p, now) == nil {
		t.state.drop(p)
		return false
	}
	return true
}

// copyOf says whether f, named like a followed file with something behind, begins as that
// one does. Such a copy is read by findCopy when the original is truncated, and never else.
func (t *Tailer) copyOf(f found) bool {
	for _, g := range t.files {
		if g.pos.HeadLen == 0 || !rotatedName(g.pos.Path, f.path) {
			continue
		}
		if same, err := headIs(f.path, g.pos); err == nil && same {
			return true
		}
	}
	return false
}

// findCopy reads the rest of a truncated generation from the copy that was made of it.
func (t *Tailer) findCopy(old position, now time.Time) {
	if old.HeadLen == 0 {
		return
	}
	for _, s := range t.siblings(old.Path) {
		if s.inode == old.inode() || s.info.Size() < old.Offset || t.knows(s.inode) {
			continue
		}
		if same, err := headIs(s.path, &old); err != nil || !same {
			continue
		}
		p := old
		p.Dev, p.Ino = s.dev, s.ino
		t.state.Files = append(t.state.Files, &p)
		if g := t.open(s.path, &p, now); g != nil {
			g.gone = true
		}
		t.unseen(old.Path, s.info.ModTime(), now)
		return
	}
}

func (t *Tailer) knows(n inode) bool {
	return slices.ContainsFunc(t.state.Files, func(p *position) bool { return p.inode() == n })
}

func headIs(path string, p *position) (bool, error) {
	fd, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer func() { _ = fd.Close() }()
	return p.matches(fd)
}

// open starts to follow p at path. nil means that it is not possible or not sensible.
func (t *Tailer) open(path string, p *position, now time.Time) *file {
	if len(t.files) >= maxFiles {
		t.tellOnce("", fmt.Errorf("more than %d files", maxFiles))
		return nil
	}
	fd, err := os.Open(path)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			t.tellOnce(path, err)
		}
		return nil
	}
	head := make([]byte, 16)
	n, _ := fd.ReadAt(head, 0) // an empty file has none
	for _, m := range magics {
		if strings.HasPrefix(string(head[:n]), m) {
			_ = fd.Close()
			return nil
		}
	}
	f := &file{pos: p, fd: fd, seen: now}
	f.rewind()
	t.files = append(t.files, f)
	if p.HeadLen == 0 {
		// Known from the first save on, for the case that the file is truncated before it
		// is read.
		if st, err := fd.Stat(); err != nil {
			t.tellOnce(path, err)
		} else if err := p.learn(fd, st.Size()); err != nil {
			t.tellOnce(path, err)
		}
	}
	return f
}

// rotatedName says whether other is what a rotation may have made of path: the same name
// with something behind it, or with something before its extension.
func rotatedName(path, other string) bool {
	if filepath.Dir(path) != filepath.Dir(other) || path == other || skipName.MatchString(filepath.Base(other)) {
		return false
	}
	a, b := filepath.Base(path), filepath.Base(other)
	ext := filepath.Ext(a)
	stem := strings.TrimSuffix(a, ext)
	rest := strings.TrimPrefix(b, stem)
	return stem != "" && rest != b && rest != "" && strings.ContainsRune(".-_", rune(rest[0])) && strings.ContainsAny(rest, "0123456789") || b == a+".old"
}

// siblings lists what rotations may have made of path, the oldest first.
func (t *Tailer) siblings(path string) []found {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil
	}
	var out []found
	for _, e := range entries {
		p := filepath.Join(filepath.Dir(path), e.Name())
		if !rotatedName(path, p) {
			continue
		}
		if f, ok := t.stat(p); ok {
			out = append(out, f)
		}
	}
	slices.SortFunc(out, func(a, b found) int { return a.info.ModTime().Compare(b.info.ModTime()) })
	return out
}

func (t *Tailer) sibling(path string, n inode) (found, bool) {
	if f, ok := t.stat(path); ok && f.inode == n {
		return f, true
	}
	for _, s := range t.siblings(path) {
		if s.inode == n {
			return s, true
		}
	}
	return found{}, false
}
