package logline

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParse(t *testing.T) {
	for raw, want := range map[string]Line{
		"Nov 21 10:22:01 web1 sshd[123]: Accepted password":                          {"Nov 21 10:22:01", "web1", "sshd", "123", "", "Accepted password"},
		"Nov  1 10:22:01 web1 kernel: oops":                                          {"Nov  1 10:22:01", "web1", "kernel", "", "", "oops"},
		"<34>Nov 21 10:22:01 web1 su: failed":                                        {"Nov 21 10:22:01", "web1", "su", "", "crit", "failed"},
		"<34>1 2026-11-21T10:22:01Z h app 7 ID [a b=\"]\"][c d=\"e\"] hello":         {"2026-11-21T10:22:01Z", "h", "app", "7", "crit", "hello"},
		"<34>1 - - - - - - hello":                                                    {"", "", "", "", "crit", "hello"},
		"2026-11-21T10:22:01.5+01:00 web1 cron[9]: job":                              {"2026-11-21T10:22:01.5+01:00", "web1", "cron", "9", "", "job"},
		"2026-11-21 10:22:01,123 ERROR [main] org.foo.Bar: it broke":                 {"2026-11-21 10:22:01,123", "", "org.foo.Bar", "", "ERROR", "it broke"},
		"2026-11-21 10:22:01,123 - WARN  [main:Foo@12] - slow":                       {"2026-11-21 10:22:01,123", "", "Foo", "", "WARN", "slow"},
		"- 17 2005.06.03 R02-M1 2005-06-03-15.42 R02-M1 RAS KERNEL INFO cache error": {Service: "KERNEL", Level: "INFO", Message: "cache error"},
		"261121 203615 148 INFO dfs.DataNode$Foo: block done":                        {Service: "dfs.DataNode$Foo", Level: "INFO", Message: "block done"},
		"26/11/21 20:36:15 INFO exec.Foo: done":                                      {Service: "exec.Foo", Level: "INFO", Message: "done"},
		"a.log.1 2026-11-21 00:00:00.008 25746 INFO api.server [req-1 x] GET":        {Service: "api.server", Level: "INFO", Message: "GET"},
		"2026-11-21 04:30:30, Info                  CBS    Loaded stack":             {Time: "2026-11-21 04:30:30,", Service: "CBS", Level: "Info", Message: "Loaded stack"},
		"11-21 16:13:38.811  1702  2395 D Window: size 4":                            {Service: "Window", PID: "1702", Level: "D", Message: "size 4"},
		"20261121-22:15:29:606|Step|3000|changed 35|79":                              {Time: "20261121-22:15:29:606", Service: "Step", PID: "3000", Message: "changed 35|79"},
		"[11.21 16:49:06] chrome.exe - a.b:50 open":                                  {Time: "11.21 16:49:06", Service: "chrome.exe", Message: "a.b:50 open"},
		"- 1131566461 2005.11.09 dn2 Nov 9 12:01:01 dn2/dn2 crond[29]: session":      {"Nov 9 12:01:01", "dn2/dn2", "crond", "29", "", "session"},
		"Nov 21 10:22:01 web1 syslogd 1.4.1: restart.":                               {Time: "Nov 21 10:22:01", Host: "web1", Service: "syslogd 1.4.1", Message: "restart."},
		"[11.21 16:49:06] svc.exe *64 - a.b:50 open":                                 {Time: "11.21 16:49:06", Service: "svc.exe *64", Message: "a.b:50 open"},
		"Nov 21 10:22:01 mac1 sandboxd[129] ([4412]): denied":                        {"Nov 21 10:22:01", "mac1", "sandboxd", "129", "", "denied"},
		"[2026-11-21T10:22:01,771][INFO ][o.e.c.m.Service      ] [n1] index made":    {"2026-11-21T10:22:01,771", "", "o.e.c.m.Service", "", "INFO", "index made"},
		"2026-11-21 10:22:01,123 INFO [db1.example.com] [a@b] up":                    {"2026-11-21 10:22:01,123", "", "", "", "INFO", "up"},
		"2026-11-21 10:22:01 [ WARN] slow":                                           {"2026-11-21 10:22:01", "", "", "", "WARN", "slow"},
		// headers of programs that many run
		"2026-11-21 10:22:01.123 UTC [123] LOG:  checkpoint starting: time":                     {"2026-11-21 10:22:01.123", "", "", "123", "LOG", "checkpoint starting: time"},
		"2026-11-21 10:22:01.123 UTC [123] bob@app FATAL:  no entry":                            {"2026-11-21 10:22:01.123", "", "", "123", "FATAL", "no entry"},
		"2026-11-21T10:22:01.123456Z 7 [Warning] [MY-010068] [Server] CA is self signed.":       {"2026-11-21T10:22:01.123456Z", "", "", "7", "Warning", "CA is self signed."},
		"1:M 21 Nov 2026 10:22:01.123 # overcommit is off":                                      {"21 Nov 2026 10:22:01.123", "", "redis", "1", "warning", "overcommit is off"},
		"1:M 21 Nov 2026 10:22:01.123 ? odd":                                                    {Message: "1:M 21 Nov 2026 10:22:01.123 ? odd"},
		"[2026-11-21 10:22:01,123] INFO [Coordinator 1]: group is stable (k.group.Coordinator)": {"2026-11-21 10:22:01,123", "", "k.group.Coordinator", "", "INFO", "group is stable"},
		"2026-11-21 10:22:01.123456+00:00 [info] <0.229.0> up":                                  {"2026-11-21 10:22:01.123456+00:00", "", "", "", "info", "<0.229.0> up"},
		"INFO  [main] 2026-11-21 10:22:01,123 Storage.java:12 - state NORMAL":                   {"2026-11-21 10:22:01,123", "", "Storage.java:12", "", "INFO", "state NORMAL"},
		"[12345.678901] EXT4-fs error (device sda1)":                                            {"12345.678901", "", "kernel", "", "", "EXT4-fs error (device sda1)"},
		"web-1  | 2026-11-21 10:22:01,123 - shop - ERROR - no order":                            {"2026-11-21 10:22:01,123", "", "shop", "", "ERROR", "no order"},
		"a | b": {Message: "a | b"},
		"2026-11-21T10:22:01.123Z info hostd[2100] [Originator@6876 sub=V] Event 12": {"2026-11-21T10:22:01.123Z", "", "hostd", "2100", "info", "Event 12"},
		"2026-11-21T10:22:01.123Z\tINFO\tcontroller\tmain.go:12\tStarting":           {"2026-11-21T10:22:01.123Z", "", "controller", "", "INFO", "Starting"},
		"I, [2026-11-21T10:22:01.123456 #123]  INFO -- web: Started":                 {"2026-11-21T10:22:01.123456", "", "web", "123", "INFO", "Started"},
		"[2026-11-21 10:22:01,123: INFO/MainProcess] done":                           {"2026-11-21 10:22:01,123", "", "MainProcess", "", "INFO", "done"},
		"[2026-11-21T10:22:01Z WARN  a::b] slow":                                     {"2026-11-21T10:22:01Z", "", "a::b", "", "WARN", "slow"},
		"2026-11-21T10:22:01.123456Z  WARN a::b: slow":                               {"2026-11-21T10:22:01.123456Z", "", "a::b", "", "WARN", "slow"},
		"2026-11-21 10:22:01.123  WARN 12 --- [exec-1] c.e.Order : rejected":         {"2026-11-21 10:22:01.123", "", "c.e.Order", "12", "WARN", "rejected"},
		"10:22:01.123 [main] ERROR c.e.App - it broke":                               {"10:22:01.123", "", "c.e.App", "", "ERROR", "it broke"},
		"2026-11-21 10:22:01 ERROR cannot write (java.io.IOException)":               {"2026-11-21 10:22:01", "", "", "", "ERROR", "cannot write (java.io.IOException)"},
		"2026-11-21 10:22:01 GET [a] b":                                              {Time: "2026-11-21 10:22:01", Message: "GET [a] b"},
		"2026/11/21 10:22:01 [error] 12#34: *5 connect() failed":                     {"2026/11/21 10:22:01", "", "", "12", "error", "connect() failed"},
		"ERROR:root:no order":                             {"", "", "root", "", "ERROR", "no order"},
		"2026-11-21 10:22:01 WARN [main] -1 is bad":       {"2026-11-21 10:22:01", "", "", "", "WARN", "-1 is bad"},
		"10:22:01 is the time":                            {Message: "10:22:01 is the time"},
		"[2026-11-21 10:22:01] production.ERROR: refused": {"2026-11-21 10:22:01", "", "production", "", "ERROR", "refused"},
		"Nov 21 10:22:01 sw1 77: Nov 21 10:22:00.999: %LINK-3-UPDOWN: Interface Gi0/1, is down": {"Nov 21 10:22:01", "sw1", "LINK", "", "err", "%LINK-3-UPDOWN: Interface Gi0/1, is down"},
		"Nov 21 10:22:01 h java[7]: 2026-11-21 10:22:01,123 ERROR [main] c.e.App: it broke":     {"2026-11-21 10:22:01,123", "h", "c.e.App", "7", "ERROR", "it broke"},
		"Nov 21 10:22:01 h app[7]: 2026-11-21 10:22:01 nothing":                                 {"Nov 21 10:22:01", "h", "app", "7", "", "2026-11-21 10:22:01 nothing"},
		"[4412] not a time: 1:2:3":                                                                                 {Message: "[4412] not a time: 1:2:3"},
		"[Sun Dec 04 04:47:44 2005] [error] mod_x failed":                                                          {"Sun Dec 04 04:47:44 2005", "", "", "", "error", "mod_x failed"},
		`{"msg":"x failed","level":"error","host":{"name":"h"},"pid":7}`:                                           {"", "h", "", "7", "error", "x failed"},
		`{"MESSAGE":[104,105,255],"_HOSTNAME":"h","SYSLOG_IDENTIFIER":"a"}`:                                        {"", "h", "a", "", "", "hi\ufffd"},
		`2026-11-21T10:22:01.123456789Z stderr F E1121 10:22:01.123456       7 reflector.go:147] watch failed`:     {"1121 10:22:01.123456", "", "reflector.go:147", "7", "error", "watch failed"},
		`2026-11-21T10:22:01.123456789Z stdout P half a line`:                                                      {Time: "2026-11-21T10:22:01.123456789Z", Message: "half a line"},
		`{"log":"time=1 level=warn msg=\"disk slow\" err=\"no reply\"\n","stream":"stderr","time":"2026-11-21T1"}`: {Time: "1", Level: "warn", Message: "disk slow: no reply"},
		`{"log":"plain\n","stream":"stdout","time":"2026-11-21T1"}`:                                                {Time: "2026-11-21T1", Message: "plain"},
		`Nov 21 10:22:01 h kubelet[7]: I1121 10:22:01.123456       7 a.go:1] "Pod status" pod="x"`:                 {"1121 10:22:01.123456", "h", "kubelet", "7", "info", `"Pod status" pod="x"`},
		`ts=2026-11-21T10:22:01Z caller=main.go:12 level=info component=tsdb msg="WAL \"x\" done" took=3ms`:        {"2026-11-21T10:22:01Z", "", "tsdb", "", "info", `WAL "x" done`},
		`type=SYSCALL msg=audit(1696431282.553:8282): arch=c000003e success=no`:                                    {Message: "type=SYSCALL msg=audit(1696431282.553:8282): arch=c000003e success=no"},
		`a=b and msg=none: a sentence`:                                                                             {Message: "a=b and msg=none: a sentence"},
		`{"t":{"$date":"2026-11-21T1"},"s":"I","c":"NETWORK","msg":"Listening","attr":{"port":1}}`:                 {Time: "2026-11-21T1", Service: "NETWORK", Level: "I", Message: "Listening"},
		`{"level":50,"payload":{"text":"it broke"},"pid":7}`:                                                       {PID: "7", Level: "error", Message: "it broke"},
		`{"PRIORITY":"3","what":"an unusual field","x":"y"}`:                                                       {Level: "err", Message: "an unusual field"},
		`{"@timestamp":"1","log":{"level":"error","logger":"a.b"},"message":"it broke"}`:                           {"1", "", "a.b", "", "error", "it broke"},
		`{"@level":"warn","@message":"seal soon","@module":"core","@timestamp":"1"}`:                               {"1", "", "core", "", "warn", "seal soon"},
		`{"timeMillis":17,"level":"FATAL","loggerName":"a.B","message":"gone"}`:                                    {"17", "", "a.B", "", "FATAL", "gone"},
		`{"body":"it broke","severity_text":"ERROR","timestamp":"1"}`:                                              {"1", "", "", "", "ERROR", "it broke"},
		`{"a":1}`:                {Message: `{"a":1}`},
		"{not json":              {Message: "{not json"},
		"plain text with Nov 21": {Message: "plain text with Nov 21"},
		"WARN: low space":        {Level: "WARN", Message: "low space"},
		"":                       {},
	} {
		if got := Parse(raw, ""); got != want {
			t.Errorf("%q\n got %+v\nwant %+v", raw, got, want)
		}
	}
	if got := Parse(`{"say":"hello","msg":"no"}`, "say").Message; got != "hello" {
		t.Errorf("named field: %q", got)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"<1>1 - - - - - [a", "Nov 21 10:22:01 h t[1]: m", "2026-11-21 10:22:01 [", `{"msg":[1,2]}`, "[ERROR", `a=b msg="x\"`, "I1121 10:22:01.1 1 a] ", "2026-11-21T10:22:01.12Z stdout F x", `{"log":"{}","stream":"x"}`,
		"web-1  | a", "1:M 21 Nov 2026 10:22:01.123 # a", "[2026-11-21T10:22:01Z WARN  a::b] a", "I, [2026-11-21T10:22:01 #1]  INFO -- a: b", "Nov 21 10:22:01 a 7: %A-3-B: c", "2026-11-21 10:22:01.123 UTC [1] a@b LOG:  c", "2026-11-21 10:22:01 WARN 1 --- [a] b.C : d", "10:22:01.1 [a] INFO b.C - d (e.F)",
	} {
		f.Add(s)
	}
	for s := range forms {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		l := Parse(s, "")
		if strings.TrimSpace(s) != "" && utf8.ValidString(s) && strings.TrimLeft(s, " \t\r\n\ufeff") != "" && l.Message == "" && !strings.HasPrefix(s, "<") {
			t.Errorf("%q lost its message: %+v", s, l)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for b.Loop() {
		Parse("Nov 21 10:22:01 web1 sshd[123]: Accepted password for bob from 10.0.0.1 port 22", "")
	}
}
