#!/bin/bash
# Compares scrapes of a generated full server (24 drives, 32 DIMMs) at 200 ms a request with
# those of mrlhansen/idrac_exporter, whose binary is named by IDRAC_EXPORTER_BIN: wall time,
# requests and CPU time of each exporter, first and later scrapes.
# Usage: [IDRAC_EXPORTER_BIN=FILE] exporters/redfish_exporter/bench/peers.sh [SCRAPES]
set -euo pipefail
cd "$(dirname "$0")/.."
scrapes=${1:-4}
dir=$(mktemp -d)
pids=()
cleanup() { kill "${pids[@]}" 2>/dev/null || true; rm -rf "$dir"; }
trap cleanup EXIT INT TERM

nice go build -o "$dir/redfish_exporter" .
nice go build -o "$dir/bmc" ./bench/bmc
ticks=$(getconf CLK_TCK)
cpu() { awk -v t="$ticks" '{print ($14+$15)*1000/t}' "/proc/$1/stat"; }

# run NAME EXPAND URL PID: scrapes and prints a row for each.
run() {
  for i in $(seq "$scrapes"); do
    echo >&"${bmc[1]}"; read -r _ <&"${bmc[0]}"
    before=$(cpu "$4")
    took=$(curl -s -m 120 -o "$dir/out" -w '%{time_total}' "$3")
    after=$(cpu "$4")
    echo >&"${bmc[1]}"; read -r requests <&"${bmc[0]}"
    awk -v n="$1" -v e="$2" -v i="$i" -v s="$took" -v r="$requests" -v c="$after" -v b="$before" -v l="$(grep -vc '^#' "$dir/out")" \
      'BEGIN {printf "%-18s %-7s %7d %8.2f %9d %7.0f %8d\n", n, e, i, s, r, c-b, l}'
  done
}

printf '%-18s %-7s %7s %8s %9s %7s %8s\n' exporter expand scrape seconds requests CPU-ms samples
for expand in 0 1; do
  coproc bmc { "$dir/bmc" -expand "$expand"; }
  pids+=("$bmc_PID")
  read -r addr <&"${bmc[0]}"
  printf 'auths: {default: {username: monitor, password: open-sesame}}\nmodules: {default: {tls_config: {insecure_skip_verify: true}}}\n' > "$dir/ours.yml"
  "$dir/redfish_exporter" --config.file "$dir/ours.yml" --web.listen-address 127.0.0.1:19611 --log.level error 2> "$dir/ours.log" &
  ours=$!; pids+=("$ours")
  sleep 1
  run redfish_exporter "$expand" "http://127.0.0.1:19611/probe?target=$addr" "$ours"
  kill "$ours"; wait "$ours" || true
  if [ -n "${IDRAC_EXPORTER_BIN:-}" ]; then
    printf 'address: 127.0.0.1\nport: 19612\ntimeout: 60\nhosts: {default: {username: monitor, password: open-sesame}}\nmetrics: {all: true, system: true, sensors: true, power: true, storage: true, memory: true, network: true}\n' > "$dir/theirs.yml"
    "$IDRAC_EXPORTER_BIN" -config "$dir/theirs.yml" > "$dir/theirs.log" 2>&1 &
    theirs=$!; pids+=("$theirs")
    sleep 1
    run idrac_exporter "$expand" "http://127.0.0.1:19612/metrics?target=$addr" "$theirs"
    kill "$theirs"; wait "$theirs" || true
  fi
  kill "$bmc_PID"; wait "$bmc_PID" 2>/dev/null || true
done
[ -n "${IDRAC_EXPORTER_BIN:-}" ] || echo "idrac_exporter was not compared: name its binary in IDRAC_EXPORTER_BIN" >&2
