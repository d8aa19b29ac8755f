#!/bin/sh
# Compares a warm scrape of 47 sensors with ipmi-sensors, ipmitool and, where its binary is
# found, prometheus-community/ipmi_exporter against the same simulated BMC: wall time and CPU
# time a scrape (that of child processes included), without and with 5 ms of latency.
# Needs the Debian packages openipmi, freeipmi-tools, ipmitool, curl and Go;
# prometheus-ipmi-exporter is taken from PATH or IPMI_EXPORTER_BIN.
# Usage: exporters/ipmi_exporter/bench/peers.sh [RUNS]
set -eu
cd "$(dirname "$0")/.."
runs=${1:-50}
dir=$(mktemp -d)
bmc=; exp=; proxy=; theirs=
cleanup() { kill $bmc $exp $proxy $theirs 2>/dev/null || true; rm -rf "$dir"; }
trap cleanup EXIT INT TERM

nice go build -o "$dir/ipmi_exporter" .
nice go build -o "$dir/delay" ./bench/delay
port=19823; slow=19824; web=19825; web2=19826
cat > "$dir/chassis.sh" <<'SH'
#!/bin/sh
op=$2; shift 2
case $op in get) for i in "$@"; do case $i in power) echo power:1;; *) echo "$i:0";; esac; done;; esac
SH
chmod +x "$dir/chassis.sh"
cat > "$dir/lan.conf" <<CONF
name "bench"
set_working_mc 0x20
  chassis_control "$dir/chassis.sh 0x20"
  startlan 1
    addr 127.0.0.1 $port
    priv_limit admin
    allowed_auths_callback none md2 md5 straight
    allowed_auths_user none md2 md5 straight
    allowed_auths_operator none md2 md5 straight
    allowed_auths_admin none md2 md5 straight
    guid a123456789abcdefa123456700004caf
  endlan
  user 1 true "" "test" user 10 none md2 md5 straight
  user 2 true "admin" "secret" admin 10 none md2 md5 straight
CONF
ipmi_sim -c "$dir/lan.conf" -f testdata/bmc-a.emu -s "$dir/state" -n > "$dir/sim.log" 2>&1 &
bmc=$!
"$dir/delay" 127.0.0.1:$slow 127.0.0.1:$port 5ms & proxy=$!
printf 'auths:\n  default: {username: admin, password: secret}\nstate_directory: %s/s\n' "$dir" > "$dir/c.yml"
"$dir/ipmi_exporter" serve --config.file "$dir/c.yml" --web.listen-address 127.0.0.1:$web --log.level error & exp=$!
other=${IPMI_EXPORTER_BIN:-$(command -v prometheus-ipmi-exporter || true)}
if [ -n "$other" ]; then
  cat > "$dir/other.yml" <<CONF
modules:
  default: {user: admin, pass: secret, driver: LAN_2_0, privilege: admin, timeout: 10000, collectors: [bmc, ipmi, chassis, sel], workaround_flags: [opensesspriv]}
CONF
  "$other" --config.file="$dir/other.yml" --web.listen-address=127.0.0.1:$web2 > "$dir/other.log" 2>&1 & theirs=$!
fi
sleep 2

ticks=$(getconf CLK_TCK)
cpu() { awk -v t="$ticks" '{print ($14+$15+$16+$17)*1000/t}' "/proc/$1/stat"; }
scrapes() { # url, runs
  i=0; while [ $i -lt "$2" ]; do curl -sf -o "$dir/out" -w '%{time_total}\n' "$1"; i=$((i+1)); done
}
server() { # name, process, url
  scrapes "$3" 3 > /dev/null
  c0=$(cpu "$2"); scrapes "$3" "$runs" > "$dir/t"; c1=$(cpu "$2")
  wall=$(sort -n "$dir/t" | awk '{v[NR]=$1*1000} END {printf "%.1f", v[int((NR+1)/2)]}')
  awk -v n="$1" -v w="$wall" -v a="$c0" -v b="$c1" -v r="$runs" 'BEGIN {printf "%-40s %8s ms wall (median) %6.1f ms CPU\n", n, w, (b-a)/r}'
}
peer() { # name, command...
  name=$1; shift
  "$@" > "$dir/out" 2>&1 || true
  i=0; n=$((runs/5+1)); t0=$(date +%s%N)
  sh -c 'i=0; while [ $i -lt '"$n"' ]; do "$@" >/dev/null 2>&1; i=$((i+1)); done; times' sh "$@" > "$dir/times"
  t1=$(date +%s%N)
  awk -v n="$name" -v w="$(( (t1-t0)/n/10000 ))" -v r="$n" 'NR==2 {
    split($1,u,/[ms]/); split($2,s,/[ms]/)
    printf "%-40s %8.1f ms wall (mean)   %6.1f ms CPU\n", n, w/100, ((u[1]+s[1])*60+u[2]+s[2])*1000/r }' "$dir/times"
}
ours() { server "ipmi_exporter$1" $exp "http://127.0.0.1:$web/probe?target=127.0.0.1:$2"; }
upstream() { [ -z "$theirs" ] || server "prometheus-ipmi-exporter$1" $theirs "http://127.0.0.1:$web2/ipmi?target=127.0.0.1:$2"; }
free() { # suffix, port
  peer "ipmi-sensors, cached SDRs$1" ipmi-sensors -D LAN_2_0 -h "127.0.0.1:$2" -u admin -p secret -l ADMIN -W opensesspriv --sdr-cache-directory "$dir" -Q --output-sensor-thresholds
}
tool() { peer "ipmitool sensor$1" ipmitool -I lanplus -C 3 -H 127.0.0.1 -p "$2" -U admin -P secret sensor; }
for where in ":$port" ", 5 ms latency:$slow"; do
  suffix=${where%:*} at=${where##*:}
  ours "$suffix" "$at"; upstream "$suffix" "$at"; free "$suffix" "$at"; tool "$suffix" "$at"
done
