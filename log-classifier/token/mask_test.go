package token

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestMask(t *testing.T) {
	m := NewMasker()
	for in, want := range map[string]string{
		"Failed password for root from 10.1.2.3 port 4242 ssh2":          "Failed password for root from <ip> port <num> ssh<num>",
		"took 12ms, 3.5 GB, 1,234 rows, 97%":                             "took <num>, <num> GB, <num> rows, <num>",
		"0 errors, 0.0 lost, 10 kept":                                    "<0> errors, <0> lost, <num> kept",
		"src: /10.250.19.102:54106 dest: /10.250.19.102:50010":           "src: /<ip> dest: /<ip>",
		"open /var/log/x.log: No such file":                              "open <path>: No such file",
		"C:\\Windows\\x.dll loaded at 0x7ffe12 id=deadbeef01":            "<path> loaded at <hex> id=<hex>",
		"req 123e4567-e89b-12d3-a456-426614174000 GET https://a.b/c?d=1": "req <uuid> GET <url>",
		"blk_-1608999687919862906 attempt_1445_0001_m_000003_0":          "blk_<num> attempt_<num>_m_<num>",
		"eth0: link up, mac 00:1b:21:aa:bb:cc":                           "eth<num>: link up, mac <mac>",
		"at 2026-11-21T10:20:30.123Z and 10:20:30,123 on 2026/11/21":     "at <time> and <time> on <time>",
		"peer fe80::1%eth0 and 2001:db8::1":                              "peer <ip> and <ip>",
		"proxy.example.com:443 via bob@example.org":                      "<host> via <mail>",
		"org.apache.Foo.bar java.io.IOException: x":                      "org.apache.Foo.bar java.io.IOException: x",
		"\x1b[31mred\x1b[0m\tline\x00 end  ":                             "red line end",
		"pid=12 uid=(0) -5 +3 #7":                                        "pid=<num> uid=(<0>) <num> <num> <num>",
		"version 1.2.3-4 kernel 5.10.0-8-amd64":                          "version <num> kernel <num>-amd<num>",
		"<num> already <*> masked":                                       "<num> already <*> masked",
		"wait... done. 5.":                                               "wait... done. <num>.",
		"[21/Nov/2026:10:22:01 +0100] on 21-Nov-2026 in May-21-26":       "[<time> <num>] on <time> in <time>",
		`Post \"https://a.b/c\": EOF, C:\Temp\ is left`:                  `Post \"<url>\": EOF, <path> is left`,
		"": "",
	} {
		if got := string(m.Mask(in)); got != want {
			t.Errorf("%q\n got %q\nwant %q", in, got, want)
		}
	}
}

func TestMaskCutsLongLines(t *testing.T) {
	if got := NewMasker().Mask(strings.Repeat("abc ", 300_000)); len(got) > MaxLine {
		t.Errorf("%d bytes", len(got))
	}
}

func FuzzMask(f *testing.F) {
	f.Add("a 1.2.3.4:5 /x/y 0x1f \x1b[3 <num> 12:")
	f.Fuzz(func(t *testing.T, s string) {
		m := NewMasker()
		first := string(m.Mask(s))
		if utf8.ValidString(s) && len(s) <= MaxLine && !utf8.ValidString(first) {
			t.Errorf("%q became invalid UTF-8 %q", s, first)
		}
		for _, c := range []byte(first) {
			if c < ' ' || c == 0x7f {
				t.Errorf("%q keeps control byte %#x", s, c)
			}
		}
	})
}

func BenchmarkMask(b *testing.B) {
	const line = "Failed password for invalid user admin from 203.0.113.4 port 50123 ssh2 (attempt 4 of 6) session=ab12cd34ef"
	m := NewMasker()
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		m.Mask(line)
	}
}
