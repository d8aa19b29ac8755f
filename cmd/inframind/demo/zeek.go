package demo

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// zeekStream is a directory of conn.log files as Zeek writes them: conn.log, rotated every
// hour. In it are a beacon, and at fixed times since the fleet's start a port scan and an
// exfiltration.
type zeekStream struct {
	seed  uint64
	start time.Time
	dir   string
	file  *stream
	hour  time.Time // of the lines in conn.log
}

// keepHours bounds the rotated files.
const keepHours = 48

const zeekHeader = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n" +
	"#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\tlocal_orig\tlocal_resp\tmissed_bytes\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\ttunnel_parents\n" +
	"#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval\tcount\tcount\tstring\tbool\tbool\tcount\tstring\tcount\tcount\tcount\tcount\tset[string]\n"

func openZeekStream(dir string, seed uint64, start time.Time) (*zeekStream, error) {
	z := &zeekStream{seed: seed, start: start, dir: dir}
	var err error
	z.file, err = openStream(filepath.Join(dir, "conn.log"), func(line []byte) (time.Time, bool) {
		ts, _, _ := bytes.Cut(line, []byte("\t"))
		sec, err := strconv.ParseFloat(string(ts), 64)
		return time.UnixMicro(int64(sec * 1e6)), err == nil
	})
	if err != nil {
		return nil, err
	}
	z.hour = z.file.last.Truncate(time.Hour)
	return z, nil
}

func (z *zeekStream) close() error { return z.file.Close() }

func (z *zeekStream) advance(to time.Time) error { return z.file.advance(to, z.second) }

// second writes the connections that began in one second.
func (z *zeekStream) second(t time.Time) error {
	if h := t.Truncate(time.Hour); !h.Equal(z.hour) {
		if err := z.rotate(h); err != nil {
			return err
		}
	}
	id := uint64(t.Unix())
	rate := 0.15 + 0.55*daily(t)
	for i := uint64(0); i < 6 && unit(hash(z.seed, id, i, 20)) < rate; i++ {
		if err := z.write(z.benign(t, hash(z.seed, id, i, 21))); err != nil {
			return err
		}
	}
	for _, c := range z.attacks(t) {
		if err := z.write(c); err != nil {
			return err
		}
	}
	return nil
}

func (z *zeekStream) rotate(next time.Time) error {
	old := z.hour
	z.hour = next
	if st, err := z.file.f.Stat(); err != nil {
		return err
	} else if st.Size() > 0 || z.file.w.Buffered() > 0 {
		last := z.file.last
		fmt.Fprintf(z.file.w, "#close\t%s\n", next.UTC().Format("2006-01-02-15-04-05"))
		if err := z.file.Close(); err != nil {
			return err
		}
		to := filepath.Join(z.dir, old.UTC().Format("conn.2006-01-02-15.log"))
		if err := os.Rename(z.file.path, to); err != nil {
			return err
		}
		f, err := openZeekStream(z.dir, z.seed, z.start)
		if err != nil {
			return err
		}
		// The callers hold z.file: replace what it points to.
		*z.file = *f.file
		z.file.last = last
	}
	_, err := z.file.w.WriteString(zeekHeader)
	return errors.Join(err, z.prune())
}

func (z *zeekStream) prune() error {
	old, err := filepath.Glob(filepath.Join(z.dir, "conn.2*.log"))
	if err != nil {
		return err
	}
	slices.Sort(old)
	for len(old) > keepHours {
		if err := os.Remove(old[0]); err != nil {
			return err
		}
		old = old[1:]
	}
	return nil
}

// conn is one connection; times in seconds, sizes in bytes.
type conn struct {
	ts                   time.Time
	id                   uint64
	src, dst             string
	sport, dport         int
	proto, service       string
	duration             float64
	up, down             int64
	state, history       string
	upPackets, downPckts int64
}

func (z *zeekStream) write(c conn) error {
	dur, up, down := "-", "-", "-"
	if c.duration > 0 {
		dur, up, down = strconv.FormatFloat(c.duration, 'f', 6, 64), strconv.FormatInt(c.up, 10), strconv.FormatInt(c.down, 10)
	}
	_, err := fmt.Fprintf(z.file.w, "%d.%06d\tC%s\t%s\t%d\t%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\tT\t%t\t0\t%s\t%d\t%d\t%d\t%d\t-\n",
		c.ts.Unix(), c.ts.Nanosecond()/1000, strconv.FormatUint(c.id|1<<63, 36), c.src, c.sport, c.dst, c.dport, c.proto, c.service,
		dur, up, down, c.state, c.dst[:3] == "10.", c.history,
		c.upPackets, c.up+40*c.upPackets, c.downPckts, c.down+40*c.downPckts)
	return err
}
