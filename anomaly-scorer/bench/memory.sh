#!/usr/bin/env bash
# Shows that memory stays level: what the program holds while it scores one, three and ten
# million connections of a large site under constant probing (about 1.5 GB of disk), at most
# and in each tenth of the run. The logs are read twice, so the first half is the first pass.
#
#   anomaly-scorer/bench/memory.sh [ROWS...]
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
go build -o "$work/anomaly-scorer" ./anomaly-scorer
go build -o "$work/traffic" anomaly-scorer/bench/traffic.go
[ $# -gt 0 ] || set -- 1000000 3000000 10000000
for n in "$@"; do
	"$work/traffic" -rows "$n" >"$work/conn.log"
	GODEBUG=gctrace=1 "$work/anomaly-scorer" run --once --zeek="$work/conn.log" --rows=/dev/null >"$work/out" 2>"$work/gc" &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		awk '/^VmRSS/ {print int($2 / 1024)}' "/proc/$pid/status" 2>/dev/null || true
		sleep 0.2
	done >"$work/held"
	wait "$pid"
	used=$(sed -n 's/.*->\([0-9]*\) MB, .*/\1/p' "$work/gc" | sort -n | tail -1) # after a garbage collection
	echo "$n connections: at most $(sort -n "$work/held" | tail -1) MiB, at most $used MiB in use; $(head -1 "$work/out")"
	awk '{v[NR] = $1} END {for (i = 1; i <= NR; i++) {t = int((i - 1) * 10 / NR); if (v[i] > m[t]) m[t] = v[i]}
		printf "  most held in each tenth:"; for (t = 0; t < 10; t++) printf " %d", m[t]; print " MiB"}' "$work/held"
done
