#!/bin/sh
# Prints what a scrape costs: wall and CPU time, memory above idle. Wall times depend on the
# machine's other work, CPU times hardly.
set -eu
cd "$(dirname "$0")/../../.."
bin=$(mktemp)
trap 'rm -f "$bin"' EXIT
go build -tags gosnmp_nodebug -o "$bin" ./exporters/snmp_exporter/bench
run() {
	echo "== $1"
	shift
	"$bin" "$@"
}
run "1,000 interfaces, 10 ms a packet, 4 in flight (bar: 1.6 s, 0.15 CPU-s, 40 MB)" --ports 1000 --delay 10ms --in-flight 4
run "1,000 interfaces, 10 ms a packet, 2 in flight (bar: 3 s)" --ports 1000 --delay 10ms --in-flight 2
run "10,000 interfaces (bar: 3 s, 150 MB)" --ports 10000
run "1,000 devices of 48 ports (bar: 60 s)" --ports 48 --devices 1000 --rounds 2
