package demo

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"time"
)

// logStream is a syslog file in RFC 5424 form with lines of all four classes.
type logStream struct {
	seed uint64
	file *stream
}

// maxSyslog is the size at which the file is rotated to syslog.log.1.
const maxSyslog = 16 << 20

// linesPerSecond is the mean rate in the busiest hour.
const linesPerSecond = 0.45

// message is one kind of line. The weight is its share of all lines; in the text {ip},
// {hex}, {user}, {port}, {n}, {ms}, {path} and {dev} stand for something that varies.
type message struct {
	weight   float64
	severity int // RFC 5424, 0 to 7
	hosts    string
	app      string
	text     string
}

// messages are the demo's own lines: what a small site's syslog is made of.
var messages = []message{
	{9, 6, "web-1 web-2", "nginx", `{ip} - - "GET {path} HTTP/1.1" 200 {n} "-" "Mozilla/5.0" rt=0.{ms}`},
	{3, 6, "web-1 web-2", "nginx", `{ip} - - "POST /api/orders HTTP/1.1" 201 {n} "-" "okhttp/4.9" rt=0.{ms}`},
	{6, 7, "web-1 web-2 cache-1", "kubelet", `operation {hex} finished: sync of pod volume took {ms}ms`},
	{6, 6, "web-1 web-2 db-1 cache-1 batch-1", "systemd-resolved", `cache flush tick, {n} entries kept`},
	{5, 7, "cache-1", "redis-server", `DB 0: {n} keys ({n} volatile) in {n} slots HT.`},
	{5, 7, "db-1", "postgres", `checkpoint statistics tick: wrote {n} buffers, sync={ms} ms`},
	{4, 6, "web-1 web-2 db-1 cache-1 batch-1", "CRON", `(root) CMD (command -v debian-sa1 > /dev/null && debian-sa1 1 1)`},
	{4, 7, "web-1 web-2", "haproxy", `health check poll for backend app/srv{n}: layer 7 ok, {ms}ms`},
	{4, 6, "web-1 web-2 db-1 cache-1 batch-1", "sshd", `Accepted publickey for {user} from {ip} port {port} ssh2: ED25519 SHA256:{hex}`},
	{4, 6, "web-1 web-2 db-1 cache-1 batch-1", "sshd", `pam_unix(sshd:session): session opened for user {user}(uid={n}) by (uid=0)`},
	{3, 6, "web-1 web-2 db-1 cache-1 batch-1", "systemd", `Started session-{n}.scope - Session {n} of User {user}.`},
	{3, 6, "db-1", "postgres", `connection authorized: user={user} database=shop application_name=api`},
	{3, 6, "batch-1", "etl", `job {n} finished: {n} rows loaded into warehouse in {ms} s`},
	{2, 5, "web-1 web-2 db-1 cache-1 batch-1", "sudo", `{user} : TTY=pts/0 ; PWD=/home/{user} ; USER=root ; COMMAND=/usr/bin/systemctl status nginx`},
	{2, 6, "web-1 web-2", "deployer", `release 2.{n}.0 is live on slot blue, previous release kept for rollback`},
	{1, 6, "db-1", "postgres", `automatic vacuum of table "shop.public.orders": index scans: 1, pages: {n} removed`},
	{0.9, 4, "web-1 web-2 db-1 cache-1 batch-1", "sshd", `Failed password for invalid user {user} from {ip} port {port} ssh2`},
	{0.8, 4, "web-1 web-2", "nginx", `upstream timed out (110: Connection timed out) while reading response header from upstream, client: {ip}, request: "GET {path}"`},
	{0.7, 4, "db-1", "postgres", `duration: {n}.{ms} ms  statement: slow query on table orders, exceeds log_min_duration_statement`},
	{0.6, 4, "cache-1", "redis-server", `WARNING: memory usage at {n}% of maxmemory, evicting keys`},
	{0.5, 4, "db-1", "smartd", `Device: /dev/{dev}, SMART Usage Attribute: 190 Airflow_Temperature_Cel changed to a value near the threshold`},
	{0.4, 4, "web-1 web-2 db-1 cache-1 batch-1", "chronyd", `System clock wrong by {n}.{ms} seconds, adjustment started`},
	{0.4, 4, "web-1", "certbot", `certificate for shop.example expires in {n} days and renewal failed, will retry`},
	{0.12, 2, "db-1", "kernel", `blk_update_request: critical medium error, dev {dev}, sector {n}{n} op 0x0:(READ)`},
	{0.10, 0, "cache-1", "kernel", `Out of memory: Killed process {n} (redis-server) total-vm:{n}{n}kB, anon-rss:{n}{n}kB`},
	{0.10, 2, "db-1", "postgres", `PANIC: could not write to file "pg_wal/xlogtemp.{n}": No space left on device`},
	{0.08, 1, "web-1 web-2", "keepalived", `VRRP instance VI_1: entering FAULT state, interface eth0 is down`},
	{0.06, 2, "batch-1", "kernel", `EXT4-fs error (device {dev}): ext4_journal_check_start: Detected aborted journal; remounting filesystem read-only`},
}

func openLogStream(path string, seed uint64) (*logStream, error) {
	s, err := openStream(path, func(line []byte) (time.Time, bool) {
		f := bytes.SplitN(line, []byte(" "), 3)
		if len(f) < 3 {
			return time.Time{}, false
		}
		t, err := time.Parse(time.RFC3339Nano, string(f[1]))
		return t, err == nil
	})
	if err != nil {
		return nil, err
	}
	return &logStream{seed: seed, file: s}, nil
}

func (l *logStream) advance(to time.Time) error {
	if err := l.file.advance(to, l.second); err != nil {
		return err
	}
	if st, err := l.file.f.Stat(); err != nil || st.Size() < maxSyslog {
		return err
	}
	return l.rotate()
}

func (l *logStream) rotate() error {
	last := l.file.last
	if err := l.file.Close(); err != nil {
		return err
	}
	if err := os.Rename(l.file.path, l.file.path+".1"); err != nil {
		return fmt.Errorf("rotate demo syslog: %w", err)
	}
	next, err := openLogStream(l.file.path, l.seed)
	if err != nil {
		return err
	}
	l.file, l.file.last = next.file, last
	return nil
}

// second writes the lines of one second: mostly none or one.
func (l *logStream) second(t time.Time) error {
	id := uint64(t.Unix())
	rate := linesPerSecond * (0.4 + 0.6*daily(t))
	for i := uint64(0); unit(hash(l.seed, id, i)) < rate && i < 8; i++ {
		at := t.Add(time.Duration(unit(hash(l.seed, id, i, 1)) * 1e9 / 8)).Add(time.Duration(i) * time.Second / 8)
		if _, err := l.file.w.WriteString(l.line(at, hash(l.seed, id, i, 2))); err != nil {
			return err
		}
	}
	return nil
}

// line renders one message; all that varies in it is drawn from r.
func (l *logStream) line(t time.Time, r uint64) string {
	m := pick(messages, func(m message) float64 { return m.weight }, unit(r))
	hosts := strings.Fields(m.hosts)
	host := hosts[hash(r, 3)%uint64(len(hosts))]
	const facilityDaemon = 3
	return fmt.Sprintf("<%d>1 %s %s %s %d - - %s\n", facilityDaemon*8+m.severity,
		t.UTC().Format("2006-01-02T15:04:05.000000Z07:00"), host, m.app, 300+hash(r, 4)%30000, fill(m.text, r))
}

var (
	users = []string{"deploy", "anna", "backup", "jonas", "admin", "oracle", "monitoring"}
	paths = []string{"/", "/cart", "/search?q=shoes", "/static/app.js", "/api/items/42", "/login"}
	devs  = []string{"sda", "sdb", "nvme0n1"}
)

// fill replaces the placeholders of text.
func fill(text string, r uint64) string {
	var b strings.Builder
	for k := uint64(10); ; k++ {
		before, rest, ok := strings.Cut(text, "{")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		name, after, _ := strings.Cut(rest, "}")
		b.WriteString(placeholder(name, hash(r, k)))
		text = after
	}
}

func placeholder(name string, r uint64) string {
	switch name {
	case "ip":
		return fmt.Sprintf("198.51.100.%d", 1+r%254)
	case "hex":
		return fmt.Sprintf("%012x", r>>16)
	case "user":
		return users[r%uint64(len(users))]
	case "port":
		return strconv.FormatUint(1024+r%64000, 10)
	case "ms":
		return fmt.Sprintf("%03d", r%1000)
	case "path":
		return paths[r%uint64(len(paths))]
	case "dev":
		return devs[r%uint64(len(devs))]
	default: // n: small numbers are the common ones
		return strconv.FormatFloat(math.Floor(math.Exp(unit(r)*9)), 'f', 0, 64)
	}
}
