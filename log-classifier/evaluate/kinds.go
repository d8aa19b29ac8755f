package evaluate

import (
	"strings"

	"github.com/inframind/inframind/log-classifier/model"
)

// sameKind names, for a labelled system, the kinds of the project's corpus that speak of the
// same kind of software, by the beginnings of their names. Leaving them out as well measures
// a kind of system the model knows nothing of.
var sameKind = map[string][]string{
	"Apache":    {"apache", "nginx", "web-servers", "web-", "varnish-squid", "app-server-", "php-", "haproxy-like", "web-server/"},
	"BGL":       {"bluegene", "hpc", "lustre", "generic-critical", "linux-edac", "linux-cluster", "infiniband", "compute-kernel", "ras-", "mmcs", "ionode", "cray", "transport-sessions", "mpp-", "lightweight-kernel", "numa-supermachine", "vector-node-os", "cabinet-controller", "application-launcher", "burst-buffer", "job-postmortem", "big-iron", "compute-node", "machine-check", "dragonfly", "node-health", "gpfs", "beegfs", "mcelog", "edac", "cluster-", "health-metrics", "environment-monitor", "blade-chassis", "supercomputer-", "state-manager", "subnet-manager", "facility-control", "bmc-event-log", "parallel-fs", "mpi-runtime", "gpu-node", "batch-scheduler"},
	"HDFS":      {"hadoop", "big-data", "bigdata", "dfs-", "hdfs", "hbase", "transport-sessions", "object-store", "executor-", "rpc-server", "filesystem-client", "distributed-fs", "dataflow-", "batch-framework", "object-gateway"},
	"Hadoop":    {"hadoop", "big-data", "bigdata", "service-notes", "yarn", "mapreduce", "dfs-", "hdfs", "spark", "transport-sessions", "resource-manager", "app-master", "executor-", "rpc-server", "java-thread", "jetty-", "stream-compute", "storm-topology", "dask-", "beam-", "distributed-fs", "dataflow-", "batch-framework", "java-app-server", "stream-processor", "workflow-scheduler"},
	"HealthApp": {"mobile-app", "health", "wearable", "android", "apple-mobile", "chatter", "dev-debris", "fitness-", "mobile-", "ios-", "band-companion", "chat-app", "phone-"},
	"Linux":     {"linux-", "kernel", "sshd", "sudo", "systemd", "pam", "init-other", "udev", "remote-login", "ftp-", "old-unix", "ssh-server", "dbus-", "cron-", "syslog-", "cups-", "networkmanager", "display-manager", "time-", "snmp-net", "bluetoothd", "freebsd", "big-iron", "cluster-kernel", "cluster-daemons", "init-manager", "name-server", "boot-lease", "file-server", "print-service", "operator-console"},
	"Mac":       {"mac", "ios", "apple-mobile", "desktop", "wifi", "dev-debris", "linux-desktop", "phone-os"},
	"OpenSSH":   {"sshd", "sudo", "pam", "auth-", "linux-cluster", "ssh-server", "sftp-ssh", "bastion", "remote-login", "cluster-daemons"},
	"Proxifier": {"net-proxy", "proxy", "firewall", "transport-sessions", "haproxy", "squid", "vpn-client", "socks-", "varnish-squid", "envoy-", "remote-access", "download-manager", "browser", "desktop-proxy", "remote-vpn"},
	"Zookeeper": {"zookeeper", "coord", "service-notes", "etcd", "consul", "raft", "transport-sessions", "coordination-", "quorum", "nomad-consul", "metadata-catalog", "kv-consensus"},
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
