#!/usr/bin/env bash
# Ours and prometheus/snmp_exporter on the same switch, in the same run: wall and CPU seconds of a
# scrape over HTTP, medians, with the other's own snmp.yml. Builds it from its Go module unless
# SNMP_EXPORTER_BIN and SNMP_YML name a binary and its configuration.
set -euo pipefail
cd "$(dirname "$0")/../../.."
version=${SNMP_EXPORTER_VERSION:-v0.30.1} rounds=${ROUNDS:-5}
dir=$(mktemp -d)
pids=()
trap 'for p in "${pids[@]}"; do kill "$p" 2>/dev/null || true; done; rm -rf "$dir"' EXIT

if [ -z "${SNMP_EXPORTER_BIN:-}" ]; then
  src=$(cd "$dir" && go mod download -json "github.com/prometheus/snmp_exporter@$version" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
  cp -r "$src" "$dir/src" && chmod -R u+w "$dir/src"
  (cd "$dir/src" && go build -p 2 -o "$dir/theirs" .)
  SNMP_EXPORTER_BIN=$dir/theirs SNMP_YML=$dir/src/snmp.yml
fi
go build -tags gosnmp_nodebug -o "$dir/ours" ./exporters/snmp_exporter
go build -tags gosnmp_nodebug -o "$dir/bench" ./exporters/snmp_exporter/bench
hz=$(getconf CLK_TCK)
base=$((20000 + $$ % 10000)) # of the ports, below the ephemeral ones

cpu() { awk -v hz="$hz" '{print ($14 + $15) / hz}' "/proc/$1/stat"; }
median() { sort -g | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }

measure() { # name pid port agent
  local wall=() n before after
  curl -sf -o "$dir/$1.out" "http://127.0.0.1:$3/snmp?target=$4&module=if_mib&auth=public_v2" # the first scrape learns
  before=$(cpu "$2")
  for ((n = 0; n < rounds; n++)); do
    wall+=("$(curl -sf -o /dev/null -w '%{time_total}' "http://127.0.0.1:$3/snmp?target=$4&module=if_mib&auth=public_v2")")
  done
  after=$(cpu "$2")
  printf '  %-30s %6.2f s  %6.3f CPU-s  %d series\n' "$1" "$(printf '%s\n' "${wall[@]}" | median)" \
    "$(awk "BEGIN {print ($after - $before) / $rounds}")" "$(grep -vcE '^(#|snmp_|probe_|collector_)' "$dir/$1.out")"
}

start() { # name command...: starts it and waits until it answers
  "${@:2}" 2>"$dir/$1.log" &
  pids+=($!)
  local port=${*: -1}
  port=${port##*:}
  for _ in $(seq 100); do
    if curl -sf "http://127.0.0.1:$port/metrics" >/dev/null; then return; fi
    sleep 0.1
  done
  tail -n 5 "$dir/$1.log" >&2
  exit 1
}

for size in "1000 10ms" "1000 0s" "10000 0s"; do
  read -r ports delay <<<"$size"
  mkfifo "$dir/stdin"
  "$dir/bench" --agent --ports "$ports" --delay "$delay" <"$dir/stdin" >"$dir/agent" &
  pids+=($!)
  exec 3>"$dir/stdin" # the agent serves until its standard input ends
  until [ -s "$dir/agent" ]; do sleep 0.1; done
  agent=$(cat "$dir/agent")
  start theirs "$SNMP_EXPORTER_BIN" --config.file="$SNMP_YML" --web.listen-address=127.0.0.1:$base
  theirs=${pids[-1]}
  start ours "$dir/ours" --config.file="$SNMP_YML" --web.listen-address=127.0.0.1:$((base + 1))
  ours=${pids[-1]}
  start ours4 "$dir/ours" --snmp.in-flight=4 --config.file="$SNMP_YML" --web.listen-address=127.0.0.1:$((base + 2))
  ours4=${pids[-1]}
  echo "$ports interfaces, $delay a packet"
  measure "snmp_exporter upstream" "$theirs" "$base" "$agent"
  measure "ours" "$ours" $((base + 1)) "$agent"
  measure "ours, 4 in flight" "$ours4" $((base + 2)) "$agent"
  kill "$theirs" "$ours" "$ours4"
  wait "$theirs" "$ours" "$ours4" 2>/dev/null || true
  exec 3>&-
  rm "$dir/stdin" "$dir/agent"
done
