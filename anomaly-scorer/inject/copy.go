package inject

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/inframind/inframind/anomaly-scorer/evidence"
	"github.com/inframind/inframind/internal/zeek"
)

// Copied says what Copy wrote.
type Copied struct {
	Conns, DNS int // of the site
	Attacks    []Attack
}

// ErrEmpty says that there is no log to mix attacks into.
var ErrEmpty = errors.New("no connection in the logs")

// Copy writes the conn and dns logs of dir, with attacks of the kinds mixed in by time, to
// the directory out, and labels.csv beside them. Each attack has a host inside of its own,
// that the logs do not know.
func Copy(ctx context.Context, dir, out string, kinds []string, seed uint64) (c Copied, err error) {
	site, used, err := survey(ctx, dir)
	if err != nil {
		return c, err
	}
	var conns []zeek.Conn
	var queries []zeek.App
	for _, kind := range kinds {
		site.Attacker = free(used, site.Victim)
		used[site.Attacker] = true
		a, err := Make(kind, site, seed)
		if err != nil {
			return c, err
		}
		c.Attacks = append(c.Attacks, a)
		conns, queries = append(conns, a.Conns...), append(queries, a.DNS...)
	}
	slices.SortStableFunc(conns, func(a, b zeek.Conn) int { return cmp.Compare(a.Time, b.Time) })
	slices.SortStableFunc(queries, func(a, b zeek.App) int { return cmp.Compare(a.Time, b.Time) })
	if err := os.MkdirAll(out, 0o755); err != nil {
		return c, fmt.Errorf("inject: %w", err)
	}
	if c.Conns, err = mixConns(ctx, dir, filepath.Join(out, "conn.log"), conns); err != nil {
		return c, err
	}
	if c.DNS, err = mixDNS(ctx, dir, filepath.Join(out, "dns.log"), queries); err != nil {
		return c, err
	}
	return c, writeLabels(ctx, filepath.Join(out, "labels.csv"), c.Attacks, dir)
}

// survey finds the time span and the addresses inside, of which the lowest is the victim.
func survey(ctx context.Context, dir string) (s Site, used map[netip.Addr]bool, err error) {
	var low, high int64
	used = map[netip.Addr]bool{}
	_, err = zeek.Scanner{Dir: dir, Final: true}.Scan(ctx, zeek.KindConn, nil, zeek.Handler{
		Conn: func(c *zeek.Conn, _ zeek.Origin) error {
			if low == 0 || c.Time < low {
				low = c.Time
			}
			high = max(high, c.Time)
			if evidence.Internal(c.Orig) && c.Orig.Is4() && len(used) < 1<<16 {
				used[c.Orig] = true
			}
			return nil
		},
		Bad: ignore,
	})
	if err != nil {
		return s, nil, err
	}
	if high == 0 {
		return s, nil, fmt.Errorf("%w: %s", ErrEmpty, dir)
	}
	s.From, s.To = time.Unix(0, low), time.Unix(0, high)
	for a := range used {
		if !s.Victim.IsValid() || a.Less(s.Victim) {
			s.Victim = a
		}
	}
	if !s.Victim.IsValid() {
		s.Victim = netip.AddrFrom4([4]byte{10, 77, 66, 1})
	}
	return s, used, nil
}

// free is the highest unused address of the network of beside.
func free(used map[netip.Addr]bool, beside netip.Addr) netip.Addr {
	b := beside.As4()
	for last := 254; last > 0; last-- {
		b[3] = byte(last)
		if a := netip.AddrFrom4(b); !used[a] {
			return a
		}
	}
	return beside
}

func ignore(zeek.Origin, []byte, error) error { return nil }

// create calls write with a log writer on path.
func create(path string, kind zeek.Kind, write func(*zeek.Writer) error) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("inject: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w, err := zeek.NewWriter(f, kind)
	if err != nil {
		return fmt.Errorf("inject: %w", err)
	}
	if err := write(w); err != nil {
		return err
	}
	return w.Flush()
}

// mixer writes the records of a site and, among them by time, those of the attacks.
type mixer[T any] struct {
	attacks []T // by time
	at      func(*T) int64
	write   func(*T) error
	n       int // records of the site
}

func (m *mixer[T]) add(r *T) error {
	m.n++
	if err := m.until(m.at(r)); err != nil {
		return err
	}
	return m.write(r)
}

// until writes the attacks' records up to a time.
func (m *mixer[T]) until(limit int64) error {
	for len(m.attacks) > 0 && m.at(&m.attacks[0]) <= limit {
		if err := m.write(&m.attacks[0]); err != nil {
			return err
		}
		m.attacks = m.attacks[1:]
	}
	return nil
}

func mixConns(ctx context.Context, dir, path string, attacks []zeek.Conn) (n int, err error) {
	err = create(path, zeek.KindConn, func(w *zeek.Writer) error {
		m := mixer[zeek.Conn]{attacks: attacks, at: func(c *zeek.Conn) int64 { return c.Time }, write: w.Conn}
		_, err := zeek.Scanner{Dir: dir, Final: true}.Scan(ctx, zeek.KindConn, nil, zeek.Handler{Conn: func(c *zeek.Conn, _ zeek.Origin) error { return m.add(c) }, Bad: ignore})
		if n = m.n; err != nil {
			return err
		}
		return m.until(math.MaxInt64)
	})
	return n, err
}

func mixDNS(ctx context.Context, dir, path string, attacks []zeek.App) (n int, err error) {
	err = create(path, zeek.KindDNS, func(w *zeek.Writer) error {
		m := mixer[zeek.App]{attacks: attacks, at: func(a *zeek.App) int64 { return a.Time }, write: w.App}
		_, err := zeek.Scanner{Dir: dir, Final: true}.Scan(ctx, zeek.KindDNS, nil, zeek.Handler{App: func(a *zeek.App, _ zeek.Kind, _ zeek.Origin) error { return m.add(a) }, Bad: ignore})
		if n = m.n; err != nil {
			return err
		}
		return m.until(math.MaxInt64)
	})
	return n, err
}

// writeLabels labels the attacks; everything else in the copy counts as benign.
func writeLabels(ctx context.Context, path string, attacks []Attack, dir string) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("inject: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, "uid,label,kind")
	for _, a := range attacks {
		for i := range a.Conns {
			fmt.Fprintf(w, "%s,Malicious,%s\n", a.Conns[i].UID, a.Kind)
		}
	}
	_, err = zeek.Scanner{Dir: dir, Final: true}.Scan(ctx, zeek.KindConn, nil, zeek.Handler{
		Conn: func(c *zeek.Conn, _ zeek.Origin) error {
			_, err := fmt.Fprintf(w, "%s,Benign,\n", c.UID)
			return err
		}, Bad: ignore,
	})
	return errors.Join(err, w.Flush())
}
