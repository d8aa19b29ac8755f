#!/bin/sh
# Compares our series with those of another exporter's binary, e.g. that of prometheus/snmp_exporter,
# on recorded devices.
#
#   SNMP_EXPORTER_BIN=/path/to/snmp_exporter SNMP_YML=snmp.yml compare.sh if_mib device.snmprec...
#
# Prints the series that only one of the two has; exit status 1 if there are any.
set -eu
: "${SNMP_EXPORTER_BIN:?set it to the other binary}" "${SNMP_YML:?set it to the snmp.yml that both read}"
module=$1
shift
dir=$(mktemp -d)
pids=
trap 'for p in $pids; do kill "$p" 2>/dev/null || true; done; rm -rf "$dir"' EXIT
(cd "$(dirname "$0")/../../.." && go build -tags gosnmp_nodebug -o "$dir/ours" ./exporters/snmp_exporter)
"$SNMP_EXPORTER_BIN" --config.file="$SNMP_YML" --web.listen-address=127.0.0.1:29116 2>"$dir/theirs.log" & pids="$pids $!"
"$dir/ours" --config.file="$SNMP_YML" --web.listen-address=127.0.0.1:29117 2>"$dir/ours.log" & pids="$pids $!"
ready() { # port log
	for _ in $(seq 50); do
		curl -sf "http://127.0.0.1:$1/metrics" >/dev/null && return
		sleep 0.2
	done
	tail -n 5 "$2" >&2
	exit 1
}
ready 29116 "$dir/theirs.log"
ready 29117 "$dir/ours.log"
series() { curl -s "http://127.0.0.1:$1/snmp?target=127.0.0.1:21161&module=$module&auth=public_v2" | grep -vE '^#|^snmp_|^probe_|^collector_' | sort; }
status=0
for recording in "$@"; do
	# One recording answers to any community.
	"$dir/ours" replay --listen 127.0.0.1:21161 "$recording" 2>"$dir/agent.log" & agent=$!
	sleep 3
	series 29116 >"$dir/theirs"
	series 29117 >"$dir/mine"
	kill "$agent" || { cat "$dir/agent.log" >&2; exit 1; }
	wait "$agent" 2>/dev/null || true
	echo "$recording: $(wc -l <"$dir/theirs") series of theirs, $(wc -l <"$dir/mine") of ours"
	diff "$dir/theirs" "$dir/mine" || status=1
done
exit $status
