package zeek

import (
	"bytes"
	"errors"
	"io"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"
)

const head = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n"

// all reads every connection and the errors of the lines between them.
func all(t *testing.T, text string, partial bool) (conns []Conn, bad []*LineError) {
	t.Helper()
	r := NewReader(strings.NewReader(text), KindConn, 0)
	if partial {
		r.AllowPartial()
	}
	for {
		var c Conn
		err := r.Conn(&c)
		var le *LineError
		switch {
		case errors.Is(err, io.EOF):
			return conns, bad
		case errors.As(err, &le):
			bad = append(bad, le)
		case err != nil:
			t.Fatal(err)
		default:
			conns = append(conns, c)
		}
	}
}

func TestHeaderDecidesTheColumns(t *testing.T) {
	conns, bad := all(t, head+
		"#fields\tid.resp_h\tnode\tts\tid.orig_h\tproto\tvlan\tservice\tduration\torig_bytes\tid.resp_p\n"+
		"2001:db8::5\tworker\t1655071198.444458\t10.0.0.1\tudp\t7\t(empty)\t-\t12\t53\n"+
		"#close\t2026-01-01\n"+
		"#fields\tts\tid.orig_h\tid.resp_h\n"+
		"1655071199\t::ffff:10.0.0.2\t10.0.0.3\n", false)
	if len(conns) != 2 || len(bad) != 0 {
		t.Fatalf("%d connections, %v", len(conns), bad)
	}
	c := conns[0]
	if c.Orig != netip.MustParseAddr("10.0.0.1") || c.Resp != netip.MustParseAddr("2001:db8::5") || c.Time != 1655071198444458000 ||
		c.Proto != UDP || c.VLAN != 7 || c.Service != "" || !math.IsNaN(c.Duration) || c.OrigBytes != 12 || c.RespBytes != -1 || c.RespPort != 53 {
		t.Errorf("%+v", c)
	}
	if c = conns[1]; c.Orig != netip.MustParseAddr("10.0.0.2") || c.Proto != ProtoOther || c.State != StateUnknown {
		t.Errorf("%+v", c)
	}
}

func TestMalformedLines(t *testing.T) {
	const fields = "#fields\tts\tid.orig_h\tid.resp_h\torig_bytes\n"
	for name, tc := range map[string]struct {
		text string
		good int
		want string // part of the one error; empty for none
	}{
		"too few columns":      {head + fields + "1.0\t10.0.0.1\n2.0\t10.0.0.1\t10.0.0.2\t3\n", 1, "cut"},
		"too many columns":     {head + fields + "1.0\t10.0.0.1\t10.0.0.2\t3\t4\n", 0, "more than the 4"},
		"no address":           {head + fields + "1.0\t-\t10.0.0.2\t3\n", 0, "no time or no addresses"},
		"bad address":          {head + fields + "1.0\t10.0.0.256\t10.0.0.2\t3\n", 0, "not an address"},
		"bad time":             {head + fields + "yesterday\t10.0.0.1\t10.0.0.2\t3\n", 0, "time"},
		"time out of range":    {head + fields + "99999999999999\t10.0.0.1\t10.0.0.2\t3\n", 0, "range"},
		"negative size":        {head + fields + "1.0\t10.0.0.1\t10.0.0.2\t-3\n", 0, "not a number"},
		"no header":            {"1.0\t10.0.0.1\t10.0.0.2\t3\n", 0, "#fields"},
		"clock jumps back":     {head + fields + "9.0\t10.0.0.1\t10.0.0.2\t3\n1.0\t10.0.0.1\t10.0.0.2\t3\n", 2, ""},
		"windows line ends":    {head + fields + "9.0\t10.0.0.1\t10.0.0.2\t3\r\n", 1, ""},
		"a line of half a MiB": {head + fields + strings.Repeat("x", 512<<10) + "\n1.0\t10.0.0.1\t10.0.0.2\t3\n", 1, "time"},
		"time at the epoch":    {head + fields + "0.000000\t10.0.0.1\t10.0.0.2\t3\n", 1, ""},
		"json in a tsv log":    {head + fields + `{"ts":1.5,"id.orig_h":"10.0.0.1","id.resp_h":"10.0.0.2"}` + "\n", 1, ""},
		"broken json":          {`{"ts":1.5,"id.orig_h":"10.0.0.1"` + "\n", 0, "JSON"},
	} {
		conns, bad := all(t, tc.text, false)
		if len(conns) != tc.good {
			t.Errorf("%s: %d connections, want %d", name, len(conns), tc.good)
		}
		if tc.want == "" && len(bad) == 0 {
			continue
		}
		if tc.want == "" || len(bad) != 1 || !strings.Contains(bad[0].Error(), tc.want) {
			t.Errorf("%s: errors %v, want one with %q", name, bad, tc.want)
		}
	}
}

func TestLastLineWithoutNewlineWaits(t *testing.T) {
	text := head + "#fields\tts\tid.orig_h\tid.resp_h\n1.0\t10.0.0.1\t10.0.0.2\n2.0\t10.0.0.1\t10.0.0."
	if conns, bad := all(t, text, false); len(conns) != 1 || len(bad) != 0 {
		t.Errorf("while it may still be written: %d connections, %v", len(conns), bad)
	}
	if conns, bad := all(t, text+"3", true); len(conns) != 2 || len(bad) != 0 {
		t.Errorf("when it is final: %d connections, %v", len(conns), bad)
	}
}

func TestOtherLogIsRefused(t *testing.T) {
	r := NewReader(strings.NewReader("#separator \\x09\n#path\tdns\n#fields\tts\tuid\n"), KindConn, 0)
	var c Conn
	if err := r.Conn(&c); !errors.Is(err, ErrKind) {
		t.Errorf("a dns log read as conn: %v", err)
	}
}

func TestZeekJSON(t *testing.T) {
	conns, bad := all(t, `{"_path":"conn","ts":"2026-11-20T08:00:00.250000Z","uid":"C1","id.orig_h":"10.0.0.1","id.orig_p":5,"id.resp_h":"fe80::1","id.resp_p":443,"proto":"tcp","conn_state":"SF","local_orig":true,"orig_bytes":5,"new_field":{"a":[1]}}
{"_path":"dns","ts":1.0,"id.orig_h":"10.0.0.1","id.resp_h":"10.0.0.2"}
`, false)
	if len(conns) != 1 || len(bad) != 0 {
		t.Fatalf("%d, %v", len(conns), bad)
	}
	c := conns[0]
	if !c.When().Equal(time.Date(2026, 11, 20, 8, 0, 0, 250e6, time.UTC)) || c.State != SF || c.LocalOrig != True || c.LocalResp != Unset || c.OrigBytes != 5 || c.RespPkts != -1 {
		t.Errorf("%+v", c)
	}
}

func TestFilebeatDocument(t *testing.T) {
	conns, bad := all(t, `{"@timestamp":"2026-11-20T08:00:00.000Z","source":{"ip":"10.0.0.1","port":1234,"bytes":520,"packets":5},"destination":{"ip":"10.0.0.2","port":22,"bytes":2000,"packets":4},"network":{"transport":"tcp","protocol":"ssh"},"event":{"duration":1500000000,"module":"zeek"},"zeek":{"session_id":"CX","connection":{"state":"SF","history":"ShADadFf","local_orig":true,"local_resp":false}}}
`, false)
	if len(conns) != 1 || len(bad) != 0 {
		t.Fatalf("%d, %v", len(conns), bad)
	}
	c := conns[0]
	if c.UID != "CX" || c.Service != "ssh" || c.Duration != 1.5 || c.OrigIPBytes != 520 || c.OrigBytes != 520-5*40 || c.RespPkts != 4 || c.LocalResp != False || c.State != SF {
		t.Errorf("%+v", c)
	}
}

func TestSuricataFlow(t *testing.T) {
	for name, tc := range map[string]struct {
		flags string
		want  State
	}{
		"answered":        {`"tcp_flags_ts":"1b","tcp_flags_tc":"1b"`, SF},
		"no answer":       {`"tcp_flags_ts":"02"`, S0},
		"refused":         {`"tcp_flags_ts":"02","tcp_flags_tc":"14"`, REJ},
		"half open":       {`"tcp_flags_ts":"06","tcp_flags_tc":"12"`, RSTOS0},
		"reset by server": {`"tcp_flags_ts":"1a","tcp_flags_tc":"1e"`, RSTR},
		"midstream":       {`"tcp_flags_ts":"18","tcp_flags_tc":"18"`, OTH},
	} {
		conns, bad := all(t, `{"timestamp":"2026-11-20T08:00:05.000000+0100","flow_id":77,"event_type":"flow","src_ip":"10.0.0.1","src_port":9,"dest_ip":"10.0.0.2","dest_port":80,"proto":"TCP","app_proto":"http","vlan":[12],"flow":{"pkts_toserver":3,"pkts_toclient":2,"bytes_toserver":300,"bytes_toclient":200,"start":"2026-11-20T08:00:00.000000+0100","end":"2026-11-20T08:00:02.000000+0100"},"tcp":{`+tc.flags+`}}
{"timestamp":"2026-11-20T08:00:05.000000+0100","event_type":"alert","src_ip":"10.0.0.1"}
`, false)
		if len(conns) != 1 || len(bad) != 0 {
			t.Fatalf("%s: %d, %v", name, len(conns), bad)
		}
		c := conns[0]
		if c.State != tc.want || c.UID != "77" || c.VLAN != 12 || c.Duration != 2 || c.OrigPkts != 3 || c.OrigBytes != 300-3*54 || c.Time != time.Date(2026, 11, 20, 7, 0, 0, 0, time.UTC).UnixNano() {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

// Ethernet fills small packets up and a handshake has options: neither is payload, or a
// refused connection would look like a conversation.
func TestNoPayloadWithoutData(t *testing.T) {
	for name, line := range map[string]string{
		"suricata": `{"timestamp":"2026-11-20T08:00:05.000000+0100","flow_id":77,"event_type":"flow","src_ip":"10.0.0.1","src_port":9,"dest_ip":"10.0.0.2","dest_port":80,"proto":"TCP","flow":{"pkts_toserver":2,"pkts_toclient":2,"bytes_toserver":148,"bytes_toclient":120,"start":"2026-11-20T08:00:00.000000+0100","end":"2026-11-20T08:00:00.000000+0100"},"tcp":{"tcp_flags_ts":"02","tcp_flags_tc":"14"}}`,
		"filebeat": `{"@timestamp":"2026-11-20T08:00:00.000Z","event":{"dataset":"zeek.connection"},"source":{"ip":"10.0.0.1","port":1234,"bytes":120,"packets":2},"destination":{"ip":"10.0.0.2","port":22,"bytes":120,"packets":2},"network":{"transport":"tcp"},"zeek":{"session_id":"C","connection":{"state":"REJ","history":"Sr"}}}`,
	} {
		conns, bad := all(t, line+"\n", false)
		if len(conns) != 1 || len(bad) != 0 {
			t.Fatalf("%s: %d, %v", name, len(conns), bad)
		}
		if c := conns[0]; c.OrigBytes != 0 || c.RespBytes != 0 || c.State != REJ {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

func TestWriterRoundTrip(t *testing.T) {
	want, _ := all(t, head+"#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\tlocal_orig\tlocal_resp\tmissed_bytes\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\n"+
		"1655071198.444458\tC1\t10.0.0.1\t1\t2001:db8::1\t443\ttcp\tssl\t1.135424\t1596\t4039\tSF\tT\tF\t5138\tShADdaFf\t14\t1016\t16\t1226\n"+
		"1655071199.000000\tC2\t10.0.0.1\t8\t10.0.0.2\t0\ticmp\t-\t-\t-\t-\tOTH\t-\t-\t0\t-\t1\t28\t0\t0\n", false)
	var b bytes.Buffer
	w, err := NewWriter(&b, KindConn)
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if err := w.Conn(&want[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	got, bad := all(t, b.String(), false)
	if len(bad) != 0 || len(got) != len(want) {
		t.Fatalf("%d of %d, %v", len(got), len(want), bad)
	}
	for i := range got {
		if math.IsNaN(got[i].Duration) && math.IsNaN(want[i].Duration) {
			got[i].Duration, want[i].Duration = 0, 0
		}
		if got[i] != want[i] {
			t.Errorf("got  %+v\nwant %+v", got[i], want[i])
		}
	}
}

func TestApplicationLogs(t *testing.T) {
	for _, tc := range []struct {
		kind       Kind
		text, name string
	}{
		{KindDNS, "#path\tdns\n#fields\tts\tuid\tid.orig_h\tid.resp_h\tquery\trcode_name\n1.0\tC\t10.0.0.1\t10.0.0.2\ta\\x2eb.example.com\tNXDOMAIN\n", "a.b.example.com"},
		{KindTLS, `{"ts":1.0,"uid":"C","id.orig_h":"10.0.0.1","id.resp_h":"10.0.0.2","server_name":"example.com"}` + "\n", "example.com"},
		{KindHTTP, `{"ts":1.0,"uid":"C","id.orig_h":"10.0.0.1","id.resp_h":"10.0.0.2","host":"example.org"}` + "\n", "example.org"},
		{KindDNS, `{"timestamp":"2026-11-20T08:00:05.000000+0000","flow_id":1,"event_type":"dns","src_ip":"10.0.0.1","dest_ip":"10.0.0.2","dns":{"type":"query","rrname":"q.example.com","rrtype":"A"}}` + "\n", "q.example.com"},
		{KindDNS, `{"timestamp":"2026-11-20T08:00:05.000000+0000","flow_id":1,"event_type":"dns","src_ip":"10.0.0.1","dest_ip":"10.0.0.2","dns":{"version":3,"type":"request","queries":[{"rrname":"q8.example.com","rrtype":"A"}]}}` + "\n", "q8.example.com"},
		{KindDNS, filebeat("zeek.dns", `"dns":{"question":{"name":"f.example.com","type":"TXT"},"response_code":"NOERROR"}`), "f.example.com"},
		{KindTLS, filebeat("zeek.ssl", `"zeek":{"ssl":{"server":{"name":"t.example.com"}}}`), "t.example.com"},
		{KindHTTP, filebeat("zeek.http", `"url":{"domain":"h.example.com"}`), "h.example.com"},
	} {
		r := NewReader(strings.NewReader(tc.text), tc.kind, 0)
		var a App
		if err := r.App(&a); err != nil || a.Name != tc.name || !a.Orig.IsValid() {
			t.Errorf("%s: %+v %v", tc.kind, a, err)
		}
	}
}

func filebeat(dataset, fields string) string {
	return `{"@timestamp":"2026-11-20T08:00:00.000Z","event":{"dataset":"` + dataset + `"},"source":{"ip":"10.0.0.1"},"destination":{"ip":"10.0.0.2"},` + fields + "}\n"
}

// Filebeat's Zeek module writes all logs into one place: a DNS document is no connection.
func TestFilebeatDocumentsOfOtherLogs(t *testing.T) {
	r := NewReader(strings.NewReader(filebeat("zeek.dns", `"zeek":{"session_id":"C"},"dns":{"question":{"name":"x.example.com"}}`)), KindConn, 0)
	var c Conn
	if err := r.Conn(&c); !errors.Is(err, io.EOF) {
		t.Errorf("a DNS document as a connection: %v %+v", err, c)
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte(head + "#fields\tts\tid.orig_h\tid.resp_h\tduration\n1.0\t10.0.0.1\t::1\t0.5\n"))
	f.Add([]byte(`{"ts":1.5,"id.orig_h":"10.0.0.1","id.resp_h":"10.0.0.2"}` + "\n"))
	f.Add([]byte(`{"event_type":"flow","flow":{"pkts_toserver":-1},"src_ip":"1.1.1.1","dest_ip":"1.1.1.1","timestamp":"2026-11-20T08:00:05.000000+0100"}` + "\n"))
	f.Add([]byte("#separator \\x2c\n#fields,ts,id.orig_h,id.resp_h\n1,1.1.1.1,2.2.2.2\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, k := range []Kind{KindConn, KindDNS} {
			r := NewReader(bytes.NewReader(b), k, 0)
			r.AllowPartial()
			for n := 0; n <= len(b)+1; n++ {
				var c Conn
				var a App
				var err error
				if k == KindConn {
					err = r.Conn(&c)
				} else {
					err = r.App(&a)
				}
				var le *LineError
				if err != nil && !errors.As(err, &le) {
					break
				}
				if err == nil && k == KindConn && (!c.Orig.IsValid() || c.Time < 0 || c.OrigBytes < -1 || c.Duration < 0) {
					t.Fatalf("accepted %+v", c)
				}
				if n > len(b) {
					t.Fatal("more records than bytes")
				}
			}
			if r.Offset() > int64(len(b)) {
				t.Fatalf("offset %d of %d", r.Offset(), len(b))
			}
		}
	})
}
