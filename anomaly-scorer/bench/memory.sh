#!/usr/bin/env bash
# Shows that memory stays flat: the most the program held while it scored one, three and
# ten million connections of a large site under constant probing (about 1.5 GB of disk).
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
	pid=$! peak=0
	while kill -0 "$pid" 2>/dev/null; do
		peak=$(awk -v p="$peak" '/^VmHWM/ {p = $2} END {print p}' "/proc/$pid/status" 2>/dev/null || echo "$peak")
		sleep 0.2
	done
	wait "$pid"
	used=$(sed -n 's/.*->\([0-9]*\) MB, .*/\1/p' "$work/gc" | sort -n | tail -1) # after a garbage collection
	echo "$n connections: at most $((peak / 1024)) MiB, at most $used MiB in use; $(head -1 "$work/out")"
done
