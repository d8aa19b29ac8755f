package evaluate

import (
	"strings"

	"github.com/inframind/inframind/log-classifier/model"
)

// sameKind names, for a labelled system, the kinds of the project's corpus that speak of the
// same kind of software, by the beginnings of their names. Leaving them out as well measures
// a kind of system the model knows nothing of.
var sameKind = map[string][]string{
	"Apache":    {"apache", "nginx", "web-servers"},
	"BGL":       {"bluegene", "hpc", "lustre", "generic-critical", "linux-edac", "linux-cluster", "infiniband", "compute-kernel", "ras-", "mmcs", "ionode", "cray", "transport-sessions"},
	"HDFS":      {"hadoop", "big-data", "bigdata", "dfs-", "hdfs", "hbase", "transport-sessions"},
	"Hadoop":    {"hadoop", "big-data", "bigdata", "service-notes", "yarn", "mapreduce", "dfs-", "hdfs", "spark", "transport-sessions"},
	"HealthApp": {"mobile-app", "health", "wearable", "android", "apple-mobile", "chatter", "dev-debris"},
	"Linux":     {"linux-", "kernel", "sshd", "sudo", "systemd", "pam"},
	"Mac":       {"mac", "ios", "apple-mobile", "desktop", "wifi", "dev-debris"},
	"OpenSSH":   {"sshd", "sudo", "pam", "auth-", "linux-cluster"},
	"Proxifier": {"net-proxy", "proxy", "firewall", "transport-sessions", "haproxy", "squid"},
	"Zookeeper": {"zookeeper", "coord", "service-notes", "etcd", "consul", "raft", "transport-sessions"},
}

// WithoutKind returns the rows of the corpus that are not of the same kind as the system.
func WithoutKind(rows []model.Row, system string) []model.Row {
	var out []model.Row
next:
	for _, r := range rows {
		name := strings.TrimPrefix(r.System, "corpus/")
		for _, k := range sameKind[system] {
			if strings.HasPrefix(name, k) {
				continue next
			}
		}
		out = append(out, r)
	}
	return out
}
