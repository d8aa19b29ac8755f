package zeek

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

// scanner is a scan of a directory that remembers where it was.
type scanner struct {
	t   *testing.T
	s   Scanner
	cur Cursor
	bad []string
}

func (s *scanner) run() []string {
	s.t.Helper()
	var uids []string
	s.bad = nil
	next, err := s.s.Scan(context.Background(), KindConn, s.cur, Handler{
		Conn: func(c *Conn, o Origin) error {
			uids = append(uids, c.UID)
			if o.Line == 0 || o.Path == "" {
				s.t.Errorf("%s has no origin", c.UID)
			}
			return nil
		},
		Bad: func(o Origin, _ []byte, err error) error {
			s.bad = append(s.bad, o.String()+" "+err.Error())
			return nil
		},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.cur = next
	return uids
}

func row(uid string) string { return "1.0\t" + uid + "\t10.0.0.1\t10.0.0.2\n" }

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestScanFollowsAGrowingFile(t *testing.T) {
	const fields = "#fields\tts\tuid\tid.orig_h\tid.resp_h\n"
	dir := t.TempDir()
	path := filepath.Join(dir, "conn.log")
	s := &scanner{t: t, s: Scanner{Dir: dir}}
	check := func(step, want string) {
		t.Helper()
		if got := strings.Join(s.run(), " "); got != want || len(s.bad) != 0 {
			t.Fatalf("%s: got %q, want %q; %v", step, got, want, s.bad)
		}
	}
	text := head + fields
	put(t, path, text)
	check("header only", "")
	text += row("A") + "1.0\tB\t10.0"
	put(t, path, text)
	check("half a line", "A")
	text += ".0.1\t10.0.0.2\n" + row("C")
	put(t, path, text)
	check("the rest", "B C")
	for range 100 {
		text += row("filler")
	}
	put(t, path, text)
	if n := len(s.run()); n != 100 {
		t.Fatalf("%d of 100", n)
	}
	text += row("D")
	put(t, path, text)
	check("past the hashed beginning", "D")
	// The file is renamed, a new one with the same name begins.
	put(t, filepath.Join(dir, "2026-11-20", "conn.08:00:00-09:00:00.log"), text+row("E"))
	put(t, path, head+fields+row("F"))
	check("rotation", "E F")
	put(t, path, "")
	check("emptied", "")
	put(t, path, head+fields+row("G"))
	check("begun anew", "G")
}

func TestScanSkipsWhatIsNoLog(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "conn.log"), head+"#fields\tts\tuid\tid.orig_h\tid.resp_h\n"+row("A"))
	put(t, filepath.Join(dir, "conn.1.log"), "Lorem ipsum dolor sit amet\n")
	put(t, filepath.Join(dir, "conn.2.log.gz"), "\x1f\x8bnot gzip at all")
	put(t, filepath.Join(dir, "conn.3.log"), "#separator \\x09\n#path\tdns\n#fields\tts\tuid\tid.orig_h\tid.resp_h\n"+row("DNS"))
	put(t, filepath.Join(dir, "conn-summary.log"), "summary\n")
	put(t, filepath.Join(dir, "dns.log"), "other\n")
	put(t, filepath.Join(dir, "conn.4.log"), "")
	s := &scanner{t: t, s: Scanner{Dir: dir}}
	if got := s.run(); len(got) != 1 || len(s.bad) != 3 {
		t.Errorf("read %v, complained %q", got, s.bad)
	}
}

func TestScanReadsZstd(t *testing.T) {
	dir := t.TempDir()
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "conn.log.zst"), string(enc.EncodeAll([]byte(head+"#fields\tts\tuid\tid.orig_h\tid.resp_h\n"+row("A")), nil)))
	s := &scanner{t: t, s: Scanner{Dir: dir}}
	if got := s.run(); len(got) != 1 {
		t.Errorf("read %v, %v", got, s.bad)
	}
}

func TestScanStopsAtTheHandlersError(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "conn.log"), head+"#fields\tts\tuid\tid.orig_h\tid.resp_h\n"+row("A")+row("B"))
	full := errors.New("disk full")
	n := 0
	_, err := Scanner{Dir: dir}.Scan(context.Background(), KindConn, nil, Handler{Conn: func(*Conn, Origin) error { n++; return full }})
	if !errors.Is(err, full) || n != 1 {
		t.Errorf("%d records, %v", n, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Nanosecond)
	defer cancel()
	<-ctx.Done()
	if _, err := (Scanner{Dir: dir}).Scan(ctx, KindConn, nil, Handler{Conn: func(*Conn, Origin) error { return nil }}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("after the deadline: %v", err)
	}
}
