package logline

import "testing"

// forms holds a line of each form of header that programs of their own have.
var forms = map[string]Line{
	// times, levels and names in many orders
	"[Tue Nov 03 04:17:05.123456 2026] [core:error] [pid 123:tid 456] [client 10.0.0.1:5] AH00124: Request exceeded the limit": {"Tue Nov 03 04:17:05.123456 2026", "", "core", "123", "error", "AH00124: Request exceeded the limit"},
	"03-Nov-2026 04:17:05.123 INFO [main] org.apache.catalina.startup.Catalina.start Server startup in [123] milliseconds":     {"03-Nov-2026 04:17:05.123", "", "org.apache.catalina.startup.Catalina.start", "", "INFO", "Server startup in [123] milliseconds"},
	"[2026-11-03 04:17:05 +0000] [123] [INFO] Booting worker with pid: 123":                                                    {"2026-11-03 04:17:05 +0000", "", "", "123", "INFO", "Booting worker with pid: 123"},
	"[2026-11-03T04:17:05.123+0000] {taskinstance.py:1103} INFO - Task exited with return code 0":                              {"2026-11-03T04:17:05.123+0000", "", "taskinstance.py:1103", "", "INFO", "Task exited with return code 0"},
	"2026-11-03T04:17:05.123Z pid=12 tid=1a class=MailJob jid=2b3c INFO: start":                                                {"2026-11-03T04:17:05.123Z", "", "MailJob", "12", "INFO", "start"},
	"2026-11-03T04:17:05.123+0000 I NETWORK  [conn1] end connection 10.0.0.1:5":                                                {"2026-11-03T04:17:05.123+0000", "", "NETWORK", "", "I", "end connection 10.0.0.1:5"},
	"03-Nov-2026 04:17:05.123 queries: info: client @0x7f 10.0.0.1#5 (a.example): query: a.example IN A":                       {"03-Nov-2026 04:17:05.123", "", "queries", "", "info", "client @0x7f 10.0.0.1#5 (a.example): query: a.example IN A"},
	"2026-11-03 04:17:05.123 INFO  (qtp123-45) [c:coll s:shard1] o.a.s.c.Core [coll]  webapp=/solr path=/select":               {"2026-11-03 04:17:05.123", "", "o.a.s.c.Core", "", "INFO", "[coll]  webapp=/solr path=/select"},
	"2026-11-03 04:17:05,123 INFO  [org.jboss.as] (MSC service thread 1-1) WFLYSRV0049: started":                               {"2026-11-03 04:17:05,123", "", "org.jboss.as", "", "INFO", "WFLYSRV0049: started"},
	"[2026-11-03 04:17:05.123][12][info][main] [source/server/server.cc:381] initializing epoch 0":                             {"2026-11-03 04:17:05.123", "", "source/server/server.cc:381", "12", "info", "initializing epoch 0"},
	"1234:20261103:041705.123 cannot connect to [[10.0.0.1]:10050]":                                                            {"20261103:041705.123", "", "", "1234", "", "cannot connect to [[10.0.0.1]:10050]"},
	"Tue Nov  3 04:17:05 2026 VERIFY OK: depth=1, CN=x":                                                                        {"Tue Nov  3 04:17:05 2026", "", "", "", "", "VERIFY OK: depth=1, CN=x"},
	"2026.11.03 04:17:05.123456 [ 1234 ] {} <Information> Application: Ready for connections":                                  {"2026.11.03 04:17:05.123456", "", "", "1234", "Information", "Application: Ready for connections"},
	"[2026-11-03T04:17:05,123][INFO ][logstash.agent           ] Successfully started Logstash API endpoint":                   {"2026-11-03T04:17:05,123", "", "logstash.agent", "", "INFO", "Successfully started Logstash API endpoint"},
	"2026-11-03T04:17:05.123456Z qemu-system-x86_64: terminating on signal 15":                                                 {"2026-11-03T04:17:05.123456Z", "", "qemu-system-x86_64", "", "", "terminating on signal 15"},
	`[    12.345] (EE) Failed to load module "x"`:                                                                              {"12.345", "", "Xorg", "", "error", `Failed to load module "x"`},
	"W/Tag( 1702): text of it": {"", "", "Tag", "1702", "W", "text of it"},
	"2026-11-03T04:17:05.123Z\t0a1b2c3d-0000-1111-2222-333344445555\tINFO\thandler done":                 {"2026-11-03T04:17:05.123Z", "", "", "", "INFO", "handler done"},
	"2026-11-03T04:17:05.123Z [service] info: text here":                                                 {"2026-11-03T04:17:05.123Z", "", "", "", "info", "text here"},
	"2026-11-03 04:17:05,123 [12] INFO  Namespace.Class - text":                                          {"2026-11-03 04:17:05,123", "", "Namespace.Class", "12", "INFO", "text"},
	"2026-11-03 04:17:05,123 [12] INFO  Namespace.Class [(null)] - text":                                 {"2026-11-03 04:17:05,123", "", "Namespace.Class", "12", "INFO", "text"},
	"2026-11-03 04:17:05.1234|INFO|Namespace.Class|text of it":                                           {"2026-11-03 04:17:05.1234", "", "Namespace.Class", "", "INFO", "text of it"},
	"2026-11-03 04:17:05.123 | INFO     | module:function:12 - text of it":                               {"2026-11-03 04:17:05.123", "", "module:function:12", "", "INFO", "text of it"},
	"2026-11-03 04:17:05.123 +01:00 [INF] text of it":                                                    {"2026-11-03 04:17:05.123 +01:00", "", "", "", "info", "text of it"},
	"[03-Nov-2026 04:17:05 UTC] PHP Warning:  Undefined variable $x in /a.php on line 3":                 {"03-Nov-2026 04:17:05 UTC", "", "PHP", "", "Warning", "Undefined variable $x in /a.php on line 3"},
	"[03-Nov-2026 04:17:05] NOTICE: fpm is running, pid 1":                                               {"03-Nov-2026 04:17:05", "", "", "", "NOTICE", "fpm is running, pid 1"},
	"2026-11-03 04:17:05.123456 98.23% [NOTICE] sofia.c:123 Adding alias":                                {"2026-11-03 04:17:05.123456", "", "sofia.c:123", "", "NOTICE", "Adding alias"},
	"[11/3/26 4:17:05:123 CET] 0000001a ServerImpl    A   WSVR0001I: Server server1 open for e-business": {"11/3/26 4:17:05:123 CET", "", "ServerImpl", "0000001a", "info", "WSVR0001I: Server server1 open for e-business"},
	"11/03/2026 04:17:05;0002;pbs_mom;Svr;pbs_mom;Torque Mom Version":                                    {"11/03/2026 04:17:05", "", "pbs_mom", "", "", "Torque Mom Version"},
	"11/03/2026 04:17:05|  main|host1|I|starting up":                                                     {"11/03/2026 04:17:05", "host1", "main", "", "I", "starting up"},
	"Nov  3 04:17:05.123456 web1 sshd[12]: Accepted password for bob":                                    {"Nov  3 04:17:05.123456", "web1", "sshd", "12", "", "Accepted password for bob"},
	"INFO[0003] starting container                            id=12":                                     {"0003", "", "", "", "INFO", "starting container                            id=12"},
	"[0.123s][info][gc,start     ] GC(0) Pause Young":                                                    {"0.123s", "", "gc,start", "", "info", "GC(0) Pause Young"},
	"[2026-11-03T04:17:05.123+0100][info][gc] GC(0) Pause Young":                                         {"2026-11-03T04:17:05.123+0100", "", "", "", "info", "GC(0) Pause Young"},
	"2026-11-03 04:17:05,123 [salt.minion      :1234][INFO    ][4321] Starting up":                       {"2026-11-03 04:17:05,123", "", "salt.minion", "1234", "INFO", "Starting up"},
	"2026/11/03 04:17:05 main.go:12: starting up":                                                        {"2026/11/03 04:17:05", "", "main.go:12", "", "", "starting up"},
	"2026-11-03 04:17:05 [ERROR] [thread-3] it broke":                                                    {"2026-11-03 04:17:05", "", "", "", "ERROR", "it broke"},
	"2026-11-03T04:17:05.123Z [INFO]  agent.server: leader elected":                                      {"2026-11-03T04:17:05.123Z", "", "agent.server", "", "INFO", "leader elected"},
	"04:17:05:896 [main] ERROR c.e.App - it broke":                                                       {"04:17:05:896", "", "c.e.App", "", "ERROR", "it broke"},
	"2026-11-03 04:17:05.123+0000 INFO  Started.":                                                        {"2026-11-03 04:17:05.123+0000", "", "", "", "INFO", "Started."},
	"Tue, 03 Nov 2026 04:17:05 GMT INFO started it":                                                      {"Tue, 03 Nov 2026 04:17:05", "", "", "", "INFO", "started it"},
	"03.11.2026 04:17:05 ERROR it broke":                                                                 {"03.11.2026 04:17:05", "", "", "", "ERROR", "it broke"},
	"03/11/2026 04:17:05,123 [12] WARN it is slow":                                                       {"03/11/2026 04:17:05,123", "", "", "12", "WARN", "it is slow"},
	"2026-11-03 04:17:05.123  INFO [shop,1a2b,3c4d] 12 --- [exec-1] c.e.Order : done it":                 {"2026-11-03 04:17:05.123", "", "c.e.Order", "12", "INFO", "done it"},
	"2026-11-03 04:17:05 host1 ERROR app[12]: it broke":                                                  {"2026-11-03 04:17:05", "host1", "app", "12", "ERROR", "it broke"},
	"2026-11-03 04:17:05 - name.of.logger - INFO - text":                                                 {"2026-11-03 04:17:05", "", "name.of.logger", "", "INFO", "text"},
	"I20261103 04:17:05.123456  1234 file.cc:12] text":                                                   {"20261103 04:17:05.123456", "", "file.cc:12", "1234", "info", "text"},
	"I1103 04:17:05.123456 1234 file.cc:12] text":                                                        {"1103 04:17:05.123456", "", "file.cc:12", "1234", "info", "text"},
	"Nov 03 04:17:05 imap-login: Info: Login: user=<x>":                                                  {"Nov 03 04:17:05", "", "imap-login", "", "Info", "Login: user=<x>"},
	"2026-11-03 04:17:05 1 [Note] InnoDB: started":                                                       {"2026-11-03 04:17:05", "", "", "1", "notice", "InnoDB: started"},
	"2026-11-03  4:17:05 0 [Note] InnoDB: started":                                                       {"2026-11-03  4:17:05", "", "", "0", "notice", "InnoDB: started"},
	// programs with forms of their own
	"2026-11-03_04:17:05.896+0100: [E] Disk nsd7 is down":                                                                                {"2026-11-03_04:17:05.896+0100", "", "", "", "E", "Disk nsd7 is down"},
	"2026-11-03_04:17:05.896+0100: [X] Quorum is lost":                                                                                   {"2026-11-03_04:17:05.896+0100", "", "", "", "critical", "Quorum is lost"},
	"Nov 03 04:17:05 700438 [D2763640] 0x01 -> osm_x: no reply":                                                                          {"Nov 03 04:17:05 700438", "", "", "", "error", "osm_x: no reply"},
	"2026-11-03T04:17:05.896+0000 7f3c17093700 -1 osd.3 no reply":                                                                        {"2026-11-03T04:17:05.896+0000", "", "", "7f3c17093700", "error", "osd.3 no reply"},
	"2026-11-03T04:17:05.896+0000 7f3c17093700  0 log_channel(cluster) log [WRN] : osd.3 [v2:10.0.0.1] slow":                             {"2026-11-03T04:17:05.896+0000", "", "cluster", "7f3c17093700", "warning", "osd.3 [v2:10.0.0.1] slow"},
	"2026-11-03 04:17:05.896 [INFO][123] felix/table.go 520: Queueing a resync":                                                          {"2026-11-03 04:17:05.896", "", "felix/table.go 520", "123", "INFO", "Queueing a resync"},
	"2026-11-03T04:17:05.896Z\tdebug\tenvoy router\t[C1] cluster 'a|b||c' match":                                                         {"2026-11-03T04:17:05.896Z", "", "envoy router", "", "debug", "cluster 'a|b||c' match"},
	"[2026-11-03 04:17:05] WARNING[123][C-0000a1] chan_sip.c: Peer is gone":                                                              {"2026-11-03 04:17:05", "", "chan_sip.c", "123", "WARNING", "Peer is gone"},
	"2026-11-03 04:17:05.896 ERROR (MainThread) [homeassistant.helpers] [0x1] no reply":                                                  {"2026-11-03 04:17:05.896", "", "homeassistant.helpers", "", "ERROR", "[0x1] no reply"},
	"Sat Nov  3 04:17:05 2026 daemon.warn dnsmasq[12]: no address":                                                                       {"Sat Nov  3 04:17:05 2026", "", "dnsmasq", "12", "warn", "no address"},
	"Nov  3 04:17:05 router1 daemon.err dnsmasq[12]: no address":                                                                         {"Nov  3 04:17:05", "router1", "dnsmasq", "12", "err", "no address"},
	"Nov  3 04:17:05 tab1 dasd(Scheduler)[12] <Error>: cannot start":                                                                     {"Nov  3 04:17:05", "tab1", "dasd(Scheduler)", "12", "Error", "cannot start"},
	"261103-04:17:05.896320 [mod=TUNER, lvl=WARN] [tid=12] no signal":                                                                    {"261103-04:17:05.896320", "", "TUNER", "12", "WARN", "no signal"},
	"2026-11-03 04:17:05,896 INFO  org.example.Manager          [] - Job is done":                                                        {"2026-11-03 04:17:05,896", "", "org.example.Manager", "", "INFO", "Job is done"},
	"2026-11-03T04:17:05.896Z\tINFO\tquery-7\tio.example.Monitor\tJava version: 17":                                                      {"2026-11-03T04:17:05.896Z", "", "io.example.Monitor", "", "INFO", "Java version: 17"},
	"2026-11-03 04:17:05.896+0000: 123: error : netRead:18 : Cannot read":                                                                {"2026-11-03 04:17:05.896+0000", "", "netRead:18", "123", "error", "Cannot read"},
	"2026-11-03 04:17:05 dc1 AUDIT_FAILURE Microsoft-Windows-Security[12]: An account failed to log on.":                                 {"2026-11-03 04:17:05", "dc1", "Microsoft-Windows-Security", "12", "AUDIT_FAILURE", "An account failed to log on."},
	"2026-11-03 04:17:05 dc1 ERROR Service Control Manager[7036]: The service stopped.":                                                  {"2026-11-03 04:17:05", "dc1", "Service Control Manager", "7036", "ERROR", "The service stopped."},
	"2026-11-03T04:17:05.896Z ex-1 MSExchange ADAccess Warning: no server":                                                               {"2026-11-03T04:17:05.896Z", "ex-1", "MSExchange ADAccess", "", "Warning", "no server"},
	"00000d6c.00001a2b::2026/11/03-04:17:05.896 ERR   [RES] Disk: lost":                                                                  {"2026/11/03-04:17:05.896", "", "RES", "00000d6c", "ERR", "Disk: lost"},
	"MSI (s) (A4:7C) [04:17:05:896]: Note: 1: 1708":                                                                                      {"04:17:05:896", "", "MSI (s)", "", "", "Note: 1: 1708"},
	"2026-11-03 04:17:05.89 spid51      Error: 1205, Severity: 13":                                                                       {"2026-11-03 04:17:05.89", "", "spid51", "", "", "Error: 1205, Severity: 13"},
	`<![LOG[Download failed]LOG]!><time="04:17:05.896-060" date="11-03-2026" component="Agent" context="" type="3" thread="12" file="">`: {"11-03-2026 04:17:05.896-060", "", "Agent", "12", "error", "Download failed"},
	"2026-11-03 04:17:05.896 UTC [12] DETAIL:  Key (a)=(b) exists.":                                                                      {"2026-11-03 04:17:05.896", "", "", "12", "DETAIL", "Key (a)=(b) exists."},
	"[2026-11-03T04:17:05.896] debug2: Processing RPC":                                                                                   {"2026-11-03T04:17:05.896", "", "", "", "debug", "Processing RPC"},
	"[2026-11-03 04:17:05,896] INFO [Broker id=4] Leader is 3 (state.change.logger)":                                                     {"2026-11-03 04:17:05,896", "", "state.change.logger", "", "INFO", "Leader is 3"},
	"2026-11-03T04:17:05.896Z esx1 Hostd: warning hostd[12] [Originator@6876 sub=Vm] no space":                                           {"2026-11-03T04:17:05.896Z", "esx1", "hostd", "12", "warning", "no space"},
	"Nov  3 04:17:05 san-1 SC-A: WARN A452 disk is slow":                                                                                 {"Nov  3 04:17:05", "san-1", "SC-A", "", "WARN", "A452 disk is slow"},
	"Nov  3 04:17:05 web1 kernel: WARNING: CPU: 0 PID: 1 at fs/x.c:12":                                                                   {"Nov  3 04:17:05", "web1", "kernel", "", "", "WARNING: CPU: 0 PID: 1 at fs/x.c:12"},
	"Nov  3 04:17:05 combo logrotate: ALERT exited abnormally with [1]":                                                                  {"Nov  3 04:17:05", "combo", "logrotate", "", "", "ALERT exited abnormally with [1]"},
	`{"level":"warn","ts":"2026-11-03T04:17:05Z","caller":"wal/wal.go:8","msg":"slow sync"}`:                                             {"2026-11-03T04:17:05Z", "", "wal/wal.go:8", "", "warn", "slow sync"},
	"2026-11-03 04:17:05.896 ERROR 12 --- [shop] o.a.c.C.[.[.[/].[servlet] : it threw":                                                   {"2026-11-03 04:17:05.896", "", "o.a.c.C.[.[.[/].[servlet]", "12", "ERROR", "it threw"},
	"2026-11-03 04:17:05.896  INFO 12 --- [shop] .s.d.r.c.Delegate : done":                                                               {"2026-11-03 04:17:05.896", "", ".s.d.r.c.Delegate", "12", "INFO", "done"},
	"[2026-11-03 04:17:05,896] ERROR [django.request:12] it broke":                                                                       {"2026-11-03 04:17:05,896", "", "django.request", "12", "ERROR", "it broke"},
}

func TestForms(t *testing.T) {
	for raw, want := range forms {
		if got := Parse(raw, ""); got != want {
			t.Errorf("%q\n got %+v\nwant %+v", raw, got, want)
		}
	}
}

// TestLookAlike has lines that begin like a header and hold none: nothing is taken off.
func TestLookAlike(t *testing.T) {
	for _, raw := range []string{
		"2026-11-03 is the day",
		"1.2.2026 is a date, 10:30 a time",
		"Sat there at 12:30:45 2026 lines long",
		"Nov 03 was a Tuesday",
		"May I come in at 10:22:01",
		"261103-04 is a part number",
		"MSI (s) is what it says",
		"MSI (s) (A4:7C) [later]: text",
		"<![LOG[ never ends",
		"<Notice> of nothing",
		"[E] key pressed",
		"(main) loop (ends)",
		"0x02 -> 0x03 moved",
		"daemon.warn is a level",
		"00000d6c.00001a2b is an id",
		"[12.345] is a number",
		"[0.123s] waited",
		"A/B tests (12): none",
		"12:20 at the station",
		"INFO",
		"W/o a tag: nothing",
		"20261103:041705 nothing",
		"7f3c17093700  0 wheels",
		"felix/table.go 520: Queueing",
		"PHP Warning: one blank",
	} {
		if got := Parse(raw, ""); got != (Line{Message: raw}) {
			t.Errorf("%q: got %+v", raw, got)
		}
	}
}

// TestKeepsWords has lines whose messages look like parts of a header.
func TestKeepsWords(t *testing.T) {
	for raw, want := range map[string]string{
		"2026-11-03 04:17:05 Got ERROR from server":            "Got ERROR from server",
		"2026-11-03 04:17:05 pid=12 exited x=y":                "pid=12 exited x=y",
		"2026-11-03 04:17:05 WARN (retry) sending":             "(retry) sending",
		"2026-11-03 04:17:05 ERROR 10.0.0.1:80 - refused":      "10.0.0.1:80 - refused",
		"2026-11-03 04:17:05 ERROR 10.0.0.1:80 : refused":      "10.0.0.1:80 : refused",
		"2026-11-03 04:17:05 Server is up":                     "Server is up",
		"2026-11-03 04:17:05 I see [a] b":                      "I see [a] b",
		"2026-11-03 04:17:05 0x02 is -> here":                  "0x02 is -> here",
		"2026-11-03 04:17:05 deadbeefcafe 12 drops":            "deadbeefcafe 12 drops",
		"2026-11-03 04:17:05 INFO Total:\t5\tof 6":             "Total:\t5\tof 6",
		"2026-11-03 04:17:05 ERROR (timeout) [disk] lost":      "(timeout) [disk] lost",
		"2026-11-03 04:17:05 daemon.warn is a level":           "daemon.warn is a level",
		"2026-11-03 04:17:05 host1 says ERROR: no":             "host1 says ERROR: no",
		"2026-11-03 04:17:05 INFO {a} b":                       "{a} b",
		"2026-11-03 04:17:05 WARN <b> is bold":                 "<b> is bold",
		"2026-11-03T04:17:05Z\tINFO\tListening\t{\"port\": 1}": "Listening\t{\"port\": 1}",
		"2026-11-03T04:17:05Z INFO read 5\tlines":              "read 5\tlines",
		"Nov  3 04:17:05 h app: error: no such file":           "error: no such file",
		"Nov  3 04:17:05 h app: Error 5":                       "Error 5",
		"Nov  3 04:17:05 h app: FATAL error: gone":             "FATAL error: gone",
		"Nov  3 04:17:05 2026 is the year":                     "is the year",
	} {
		if got := Parse(raw, "").Message; got != want {
			t.Errorf("%q: got %q, want %q", raw, got, want)
		}
	}
}
