package tail

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Stamps without a zone are local time; this zone is not UTC on purpose.
var (
	cet      = time.FixedZone("CET", 3600)
	testLine = parser{host: "here", zone: cet}
	ref      = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
)

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		panic(err)
	}
	return t.UTC()
}

func TestParse(t *testing.T) {
	type want struct {
		at, message string
		fields      map[string]any
	}
	for _, tc := range []struct {
		name, path, line string
		want             want
	}{
		{
			"rsyslog traditional", "/var/log/syslog", "Nov 21 10:22:01 web-1 sshd[4711]: Failed password for root from 192.0.2.7 port 22 ssh2",
			want{
				"2026-11-21T09:22:01Z", "Failed password for root from 192.0.2.7 port 22 ssh2",
				map[string]any{"host.name": "web-1", "service.name": "sshd", "process.pid": 4711},
			},
		},
		{
			"rsyslog with RFC 3339", "/var/log/syslog", "2026-11-21T10:22:01.123456+00:00 web-1 kernel: [   12.5] ERROR: eth0 down",
			want{
				"2026-11-21T10:22:01.123456Z", "[   12.5] ERROR: eth0 down",
				map[string]any{"host.name": "web-1", "service.name": "kernel", "log.level": "error"},
			},
		},
		{
			"last year's December", "/var/log/syslog", "Dec 31 23:59:59 web-1 cron[1]: x",
			want{"2025-12-31T22:59:59Z", "x", map[string]any{"host.name": "web-1", "service.name": "cron", "process.pid": 1}},
		},
		{
			"a leap day", "/var/log/syslog", "Feb 29 12:00:00 web-1 cron[1]: x",
			want{"2024-02-29T11:00:00Z", "x", map[string]any{"host.name": "web-1", "service.name": "cron", "process.pid": 1}},
		},
		{
			"no tag", "/var/log/messages", "Nov  1 00:00:00 web-1 -- MARK --",
			want{"2026-10-31T23:00:00Z", "-- MARK --", map[string]any{"host.name": "web-1"}},
		},
		{
			"no host", "/var/log/messages", "Nov  1 00:00:00 su[12]: + root",
			want{"2026-10-31T23:00:00Z", "+ root", map[string]any{"host.name": "here", "service.name": "su", "process.pid": 12}},
		},
		{
			"RFC 3164", "syslog", "<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8",
			want{
				"2026-10-11T21:14:15Z", "'su root' failed for lonvick on /dev/pts/8",
				map[string]any{
					"host.name": "mymachine", "service.name": "su", "log.level": "critical", "log.syslog.priority": 34, "log.syslog.facility.code": 4,
					"log.syslog.facility.name": "auth", "log.syslog.severity.code": 2, "log.syslog.severity.name": "critical",
				},
			},
		},
		{
			"RFC 5424", "syslog", `<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog 77 ID47 [exampleSDID@32473 iut="3" eventSource="App"] An application event`,
			want{
				"2003-10-11T22:14:15.003Z", "An application event",
				map[string]any{
					"host.name": "mymachine.example.com", "service.name": "evntslog", "process.pid": 77, "log.level": "notice", "log.syslog.priority": 165,
					"log.syslog.facility.code": 20, "log.syslog.facility.name": "local4", "log.syslog.severity.code": 5, "log.syslog.severity.name": "notice",
					"log.syslog.appname": "evntslog", "log.syslog.procid": "77", "log.syslog.msgid": "ID47",
					"log.syslog.structured_data.exampleSDID@32473.iut": "3", "log.syslog.structured_data.exampleSDID@32473.eventSource": "App",
				},
			},
		},
		{
			"priority and nothing known", "syslog", "<13>hello",
			want{"", "hello", map[string]any{
				"host.name": "here", "service.name": "syslog", "log.level": "notice", "log.syslog.priority": 13, "log.syslog.facility.code": 1,
				"log.syslog.facility.name": "user", "log.syslog.severity.code": 5, "log.syslog.severity.name": "notice",
			}},
		},
		{"no priority after all", "/x/app.log", "<192>hello", want{"", "<192>hello", map[string]any{"host.name": "here", "service.name": "app"}}},
		{
			"dpkg", "/var/log/dpkg.log", "2025-06-24 14:36:25 status installed libc-bin:amd64 2.36-9",
			want{"2025-06-24T13:36:25Z", "2025-06-24 14:36:25 status installed libc-bin:amd64 2.36-9", map[string]any{"host.name": "here", "service.name": "dpkg"}},
		},
		{
			"alternatives", "/var/log/alternatives.log.1", "update-alternatives 2025-06-24 14:36:53: run with --quiet",
			want{"2025-06-24T13:36:53Z", "update-alternatives 2025-06-24 14:36:53: run with --quiet", map[string]any{"host.name": "here", "service.name": "alternatives"}},
		},
		{
			"apt", "/var/log/apt/history.log", "Start-Date: 2025-06-24  14:36:25",
			want{"2025-06-24T13:36:25Z", "Start-Date: 2025-06-24  14:36:25", map[string]any{"host.name": "here", "service.name": "apt"}},
		},
		{
			"PostgreSQL", "/var/log/postgresql/postgresql-15-main.log", "2026-11-21 10:20:30.123 UTC [123] FATAL:  terminating",
			want{"2026-11-21T10:20:30.123Z", "2026-11-21 10:20:30.123 UTC [123] FATAL:  terminating", map[string]any{"host.name": "here", "service.name": "postgresql", "log.level": "critical"}},
		},
		{
			"nginx error", "/var/log/nginx/error.log", "2026/11/21 10:20:30 [error] 12#12: *1 open() failed",
			want{"2026-11-21T09:20:30Z", "2026/11/21 10:20:30 [error] 12#12: *1 open() failed", map[string]any{"host.name": "here", "service.name": "nginx", "log.level": "error"}},
		},
		{
			"access log", "/var/log/nginx/access.log", `192.0.2.1 - - [21/Nov/2026:10:20:30 +0200] "GET / HTTP/1.1" 200 5`,
			want{"2026-11-21T08:20:30Z", `192.0.2.1 - - [21/Nov/2026:10:20:30 +0200] "GET / HTTP/1.1" 200 5`, map[string]any{"host.name": "here", "service.name": "nginx"}},
		},
		{
			"logfmt", "/var/log/prometheus/prometheus.log", `ts=2026-11-21T10:20:30.5Z caller=main.go:1 level=warn msg="no error here"`,
			want{"2026-11-21T10:20:30.5Z", `ts=2026-11-21T10:20:30.5Z caller=main.go:1 level=warn msg="no error here"`, map[string]any{"host.name": "here", "service.name": "prometheus", "log.level": "warning"}},
		},
		{"an application's own RFC 3339", "/x/app.log", "2026-11-21T10:22:01Z INFO main: started", want{
			"2026-11-21T10:22:01Z", "2026-11-21T10:22:01Z INFO main: started",
			map[string]any{"host.name": "here", "service.name": "app", "log.level": "info"},
		}},
		{"plain", "/x/app.log", "an error in a sentence is no level", want{"", "an error in a sentence is no level", map[string]any{"host.name": "here", "service.name": "app"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := testLine.parse(tc.line, tc.path, ref)
			if got.Message != tc.want.message {
				t.Errorf("message %q, want %q", got.Message, tc.want.message)
			}
			if got.timed != (tc.want.at != "") || got.timed && !got.Time.Equal(at(tc.want.at)) {
				t.Errorf("time %s (%v), want %s", got.Time, got.timed, tc.want.at)
			}
			if diff := cmp.Diff(tc.want.fields, got.Fields); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzParseLine(f *testing.F) {
	for _, s := range []string{"", "<", "<34>", "<34>1 - - - - - -", "Nov 21 10:22:01 h t[1]: x", "2026-11-21T10:22:01Z h t: x", "Feb 30 00:00:00 h t: x", "<165>1 2003-10-11T22:14:15.003Z m e 7 I [a b=\"c\"] \xef\xbb\xbfx"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		got := testLine.parse(line, "/var/log/x.log", ref)
		if got.timed == got.Time.IsZero() && got.Time.Year() != 1 {
			t.Errorf("timed %v but time %s", got.timed, got.Time)
		}
		got.ID, got.Time = "x", ref
		if _, err := got.Clean(); err != nil {
			t.Errorf("no store would take it: %v", err)
		}
	})
}

func TestCut(t *testing.T) {
	long := make([]byte, 0, maxLine+2)
	for len(long) < maxLine+2 {
		long = append(long, "€"...)
	}
	for _, tc := range []struct {
		name, in string
		last     bool
		line     int
		used     int
		part     bool
	}{
		{"a line", "abc\ndef", false, 3, 4, false},
		{"incomplete", "abc", false, 0, 0, false},
		{"incomplete at the end", "abc", true, 3, 3, false},
		{"empty line", "\nx", false, 0, 1, false},
		{"long", string(long), false, maxLine - maxLine%3, maxLine - maxLine%3, true},
		{"just fits", string(make([]byte, maxLine)) + "\n", false, maxLine, maxLine + 1, false},
	} {
		line, used, part := cut([]byte(tc.in), tc.last)
		if len(line) != tc.line || used != tc.used || part != tc.part {
			t.Errorf("%s: %d bytes, %d used, part %v", tc.name, len(line), used, part)
		}
	}
}

func TestRotatedName(t *testing.T) {
	for other, want := range map[string]bool{
		"/l/app.log.1": true, "/l/app.log-20261121": true, "/l/app-20261121.log": true, "/l/app.1.log": true, "/l/app.log.old": true,
		"/l/app.log": false, "/l/app.log.1.gz": false, "/l/application.log": false, "/m/app.log.1": false, "/l/app-error.log": false,
	} {
		if got := rotatedName("/l/app.log", other); got != want {
			t.Errorf("%s: %v", other, got)
		}
	}
}
