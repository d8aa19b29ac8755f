package mine_test

import (
	_ "embed"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/inframind/inframind/log-classifier/evaluate"
	"github.com/inframind/inframind/log-classifier/mine"
	"github.com/inframind/inframind/log-classifier/token"
)

//go:embed testdata/templates.txt
var templates string

//go:embed testdata/templates_second.txt
var second string

// invented makes lines of invented systems from their templates, with the values that real
// logs have.
type invented struct{ r *rand.Rand }

func (g invented) pick(words string) string {
	w := strings.Split(words, "|")
	return w[g.r.IntN(len(w))]
}

func (g invented) chars(alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[g.r.IntN(len(alphabet))]
	}
	return string(b)
}

func (g invented) hex(n int) string { return g.chars("0123456789abcdef", n) }
func (g invented) num(n int) string { return strconv.Itoa(g.r.IntN(n)) }

var patterns = map[string]string{
	"ip": "10.#255.#255.#255|192.168.#255.#255|203.0.113.#255", "port": "#65000", "port2": "#8|eth#8|0/#24|sfp#4", "num": "#10|#100|#1000|#100000",
	"clock": "1#9:0#9:1#9|#9:1#9:4#9.1##99", "dec": "#90.#999|0.0#99|#9000.1#9", "pct": "#100%|#99.#9%",
	"user": "alice|bob|root|deploy|svc-backup|carol|m.lopez|jenkins|oper|admin2|www-data", "word": "orders|billing|auth|cart|search|inventory|payments|mail|api|web|batch|reports",
	"app": "psql|pgAdmin|rails|metabase|grafana|django", "ident": "users_email_key|orders_pkey|orders|events-v2|audit_log|clickstream|payments.dlq|idx_cart_ts|volA|tank/home",
	"relpath": "base/#90000/#90000|pg_wal/0000000100000A#99|base/pgsql_tmp/pgsql_tmp#9000.#9|global/pg_filenode.map", "lsn": "#9/9FF#90|1A/4C#9000|#9/B#9000C8",
	"image": "nginx:1.#20|registry.example.com/team/app:v#9.#9.#9|docker.io/library/redis:7-alpine|ghcr.io/acme/worker@sha256:%64", "pod": "web-%9-&5|api-%10-&5|db-#3|cron-2#9000000-&5|coredns-%10-&5",
	"ns": "default|kube-system|monitoring|shop|prod-eu", "node": "node-#30|worker-#9.eu.example.com|ip-10-0-#9-#200|cn#200", "rs": "web-%9|api-%10|billing-%9", "volume": "config|data-vol|kube-api-access-&5|tls-certs",
	"url": "http://10.0.#9.#200:8080/healthz|https://api.example.com/v1/items?id=#900|http://#9.example.org/|https://db.internal:5432/", "ipport": "10.#9.#200.#200:#9000|0.0.0.0:#9000|[::1]:#9000|127.0.0.1:#60000",
	"dur": "#9m#59s|#900ms|1.#999s|#9h#59m#59s|#999µs|#59.#99s", "errtext": "connection refused|context deadline exceeded|no such host|permission denied|EOF|i/o timeout",
	"containerid": "%64|%12", "accesstime": "21/Nov/2026:1#9:1#9:4#9 +0000|02/Dec/2026:1#9:1#9:4#9 +0100", "path": "/index.html|/api/v1/items/#9000|/static/js/app.%8.js|/var/lib/data/#99/file.db|/etc/app/conf.d/x#9.yml|/wp-login.php",
	"agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36|curl/8.#9.0|kube-probe/1.#30|Go-http-client/1.1", "host": "mail.example.com|mx#9.example.org|db-#9.internal.example.net|unknown|cache#9.lan",
	"hex8": "0A00#9000|1408#9000", "numlist": "#9|#9,#9|#9,#9,#9", "jsonmap": "{}|{\"a\":#9}|{cleanup.policy=compact, retention.ms=#9000}|{0=[#9, #9], 1=[#9]}",
	"queueid": "%10|%11", "mail": "a.b#99@example.com|bob@mail.example.org|#9000.%8@mx.example.net|noreply@shop.example.com", "delays": "0.#9/0.0#9/0.#9/#9.#9",
	"shortdate": "Nov 1#9|Dec #9", "unit": "nginx|ssh|postgresql@15-main|apt-daily|cron|docker|systemd-timesyncd|user@#900|snapd", "title": "Web Server|OpenSSH server|Daily apt download activities|Print Spooler|Windows Update|Time Daemon",
	"result": "exit-code|signal|timeout|core-dump|oom-kill", "device": "eth#4|enp3s#9|bond#2", "mountpath": "/mnt/data|/home|/var/lib/docker|/boot/efi", "target": "multi-user.target|network.target|timers.target",
	"slot": "#24|1:#24|0:1:#24", "state": "online|failed|rebuilding|hot-spare|missing", "wwn": "naa.6%15|naa.6%15", "letter": "A|B", "iqn": "iqn.2026-11.com.example:node#99|iqn.1998-01.com.acme:%8",
	"isotime": "2026-11-2#9T1#9:1#9:1#9Z|2026-11-2#9T1#9:1#9:1#9.#999Z", "size": "#900G|#9.#9 GiB|#900 MB|#900K|#9.#9T", "proto": "ssh|https|console|telnet", "updown": "up|down", "version": "v#9.#9.#9|#9.#9.#9-rc#9|#9.#9-#9|TLSv1.#3",
	"rate": "#90 MB/s|#900 KB/s|1.#9 GB/s", "money": "$#900.#99|#900.00 USD", "b64": "=24|=32", "declined": "insufficient funds|card expired|suspected fraud|limit reached",
	"cls": "com.example.shop.OrderService|com.example.cart.CartRepository|org.acme.Mailer|java.net.SocketTimeoutException", "hash": "%8|%7|%6", "method": "GET|POST|PUT|DELETE", "method2": "cleanupSessions|sendDigest|rebuildIndex|rotateKeys|syncUsers",
	"flag": "new-checkout|dark_mode|beta.search|fast-path", "bool": "true|false", "wordlist": "[name]|[name, email]|[name, email, phone]|[address, city]", "csvfile": "prices.csv|users_#99.csv|export-#9.csv.gz",
	"thread": "http-nio-8080-exec-#99|pool-#9-thread-#9|scheduling-#9|main", "json": "{\"id\":#9000,\"name\":\"x\",\"tags\":[\"a\",\"b\"]}|{\"id\":#9000,\"name\":\"yy\",\"tags\":[]}|{\"id\":#9000,\"nested\":{\"k\":true}}", "cbstate": "CLOSED|OPEN|HALF_OPEN",
	"sha": "%40", "promseries": "{job=\"node\",instance=\"10.0.0.#200:9100\"}|up{job=\"api\"}", "hex16": "%16", "ulid": "01H^23", "winstate": "running|stopped|paused", "sid": "S-1-5-18|S-1-5-21-#90000-#90000-#90000-#9000", "winuser": "CORP\\alice|SYSTEM|Administrator|CORP\\svc_sql|WIN-#900$",
	"winhost": "WIN-^10|DESKTOP-^7|SRV#99", "hex32": "0xC000006D|0xc0000064|0x%8", "kb": "Security Update for Windows (KB#9000000)|Update for Office (KB#9000000)", "usdate": "11/2#9/2026|1#2/1#9/2026", "winpath": "C:\\Windows\\System32\\drivers\\x#9.sys|C:\\Program Files\\Acme Tool\\acme.exe|\\Driver\\WUDFRd",
	"devid": "PCI\\VEN_8086&DEV_^4|USB\\VID_^4&PID_^4\\%8", "pkg": "Package_for_KB#9000000~31bf3856ad364e35~amd64~~10.0.1.#9|Package_for_RollupFix~31bf3856ad364e35~amd64~~#900.#99.1.#9", "pkgstate": "Installed|Staged|Resolved", "drive": "C:|D:|\\\\?\\Volume{§}",
	"iface": "GigabitEthernet0/#48|TenGigabitEthernet1/0/#24|Vlan#900|Port-channel#9", "acl": "101|OUTSIDE_IN|MGMT|110", "mac3": "%4.%4.%4", "cipher": "aes256-ctr|aes128-gcm|chacha20-poly1305", "hmac": "hmac-sha1|hmac-sha2-256|none",
	"ipv6": "2001:db8::%4|fe80::%4:%3|2001:db8:1:#9::#9", "cidr": "10.#200.0.0/16|2001:db8:%3::/48|0.0.0.0/0", "stp": "forwarding|blocking|learning|listening", "nodelist": "cn[#99-#200]|cn#99,cn#99|gpu#9/0*32", "nodestate": "down|drain|idle|up",
	"reason": "no response|disk full|operator request|ECC errors", "guid": "0x%16", "hex64": "0x%16", "fs": "scratch|home|proj", "hexid": "000%1|00%2|0x%5", "dimm": "DIMM_A#9|CPU_SrcID#0_Ha#0_Chan#1_DIMM#0|mc#1csrow#3", "rack": "R#9#9|A#9", "uuid": "§",
	"table": "shop.orders|shop.users|system.peers|ks1.events_by_day", "gcname": "G1 Young Generation|ParNew|ConcurrentMarkSweep", "yesno": "YES|NO", "binlog": "mysql-bin.0000#99|binlog.00#999", "plugin": "postgresql|kv|aws|pki|file|ssh",
	"lease": "auth/token/create/h%20|database/creds/app/%24", "accesstime2": "21/Nov/2026:1#9:1#9:4#9.#999", "backend": "web#9|srv-a|api1|node-#20", "vmobj": "vm.#90|Vimsvc.ha-eventmgr|Vmsvc.vm:/vmfs/volumes/%8-%8/db/db.vmx",
	"opid": "%8|%8-#99-%4", "vmstate": "on|off|suspended|resetting", "hexbyte": "0x%2|0x%1", "agent2": "VMware-client/6.5.0|pyvmomi Python-requests/2.2#9|Mozilla/5.0", "vmname": "db-prod-#9|web02|backup server|jump_host", "teardown": "TCP FINs|TCP Reset-O|SYN Timeout",
	"command": "write memory|show run|reload|copy running-config startup-config", "iface2": "inside|outside|dmz|mgmt", "rate2": "Scanning|ACL drop|Bad pkts|Firewall", "job": "build-app|deploy/prod|nightly|tests » linux", "outcome": "SUCCESS|FAILURE|ABORTED", "agentnode": "agent-&5|linux-#20|ec2 (i-%17)",
	"quotedfile": "'report.pdf'|'my notes.txt'|\"scan 0#9.png\"|'a.tar.gz'", "bucket": "media|backups-eu|s3://logs/#9", "jobname": "cleanup|send-mails|rotate_keys|sync|reindex", "macaddr": "%2:%2:%2:%2:%2:%2", "ap": "ap-floor#9|lobby|ap-roof-#9|canteen", "neg": "-#90",
	"feature": "clustering|backup|sso|reports", "room": "kitchen|office 2|server-room|hall", "locale": "en_US|de_DE|fr_FR|pt_BR.UTF-8",
}

var marks = regexp.MustCompile(`[#%&^=]\d+|§`)

// value invents one value of a kind: a pattern where #n is a number below n, %n hex digits,
// &n and ^n and =n letters and digits as in pod names, ids and base64, § a UUID.
func (g invented) value(kind string) string {
	p, ok := patterns[kind]
	if !ok {
		panic("no pattern for " + kind)
	}
	return marks.ReplaceAllStringFunc(g.pick(p), func(m string) string {
		if m == "§" {
			return fmt.Sprintf("%s-%s-4%s-a%s-%s", g.hex(8), g.hex(4), g.hex(3), g.hex(3), g.hex(12))
		}
		n, _ := strconv.Atoi(m[1:])
		switch m[0] {
		case '%':
			return g.hex(n)
		case '&':
			return g.chars("bcdfghjklmnpqrstvwxz2456789", n)
		case '^':
			return g.chars("0123456789ABCDEFGHJKMNPQRSTVWXYZ", n)
		case '=':
			return g.chars("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", n-2) + "=="
		}
		return g.num(max(n, 1))
	})
}

var kind = regexp.MustCompile(`\{!?\w+\}`)

// inventedSystem is the lines of one system and the template each was made from.
type inventedSystem struct {
	name  string
	lines []string
	truth []string
}

// inventedSystems makes 2,000 lines a system; frequent templates are much more frequent than
// rare ones, as in real logs.
func inventedSystems(templates string) (out []inventedSystem) {
	g := invented{rand.New(rand.NewPCG(7, 11))}
	for _, text := range strings.Split(templates, "\n= ")[1:] {
		rows := strings.Split(strings.TrimSpace(text), "\n")
		s := inventedSystem{name: rows[0]}
		rows = rows[1:]
		g.r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		for range 2000 {
			k := min(int(g.r.ExpFloat64()*float64(len(rows))/4), len(rows)-1)
			truth := rows[k]
			s.lines = append(s.lines, kind.ReplaceAllStringFunc(rows[k], func(m string) string {
				name, apart := strings.CutPrefix(m[1:len(m)-1], "!")
				v := g.value(name)
				if apart {
					truth += "|" + v
				}
				return v
			}))
			s.truth = append(s.truth, truth)
		}
		out = append(out, s)
	}
	return out
}

// TestUnseenSystems holds the bar of the grouping on systems that were only written for it,
// and a lower one on a second set, which was written when the rules were done: the first look
// at it gave 0.72, four faults that it showed were mended.
func TestUnseenSystems(t *testing.T) {
	if got := grouping(t, templates); got < 0.95 {
		t.Errorf("mean grouping accuracy %.3f, want 0.95", got)
	}
	if got := grouping(t, second); got < 0.80 {
		t.Errorf("mean grouping accuracy of the second set %.3f, want 0.80", got)
	}
}

// grouping is the mean grouping accuracy over invented systems, with merged ids resolved. It
// also checks that a restart changes no id.
func grouping(t *testing.T, templates string) (mean float64) {
	t.Helper()
	systems := inventedSystems(templates)
	for _, s := range systems {
		m, resolved := mine.New(mine.Options{}), make([]string, len(s.lines))
		ids := find(m, s.lines)
		for i, id := range ids {
			resolved[i] = m.Get(id).ID
		}
		ga := evaluate.GroupingAccuracy(s.truth, resolved)
		mean += ga / float64(len(systems))
		t.Logf("%-10s %.3f, with ids as given out %.3f, %d templates", s.name, ga, evaluate.GroupingAccuracy(s.truth, ids), m.Len())

		again, err := mine.Restore(m.State(), mine.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(find(m, s.lines), find(again, s.lines)); diff != "" {
			t.Errorf("%s: other ids after a restart (-without +with):\n%s", s.name, diff)
		}
	}
	t.Logf("mean %.3f", mean)
	return mean
}

// find returns the id that each line gets at once.
func find(m *mine.Miner, lines []string) []string {
	mask, ids := token.NewMasker(), make([]string, len(lines))
	for i, l := range lines {
		t, _ := m.Find(mask.Mask(l))
		ids[i] = t.ID
	}
	return ids
}
