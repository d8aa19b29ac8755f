#!/usr/bin/env bash
# Runs the end-to-end tests with the binaries in bin/ and prints the measured bars.
# usage: e2e/run.sh [go test arguments], e.g. e2e/run.sh -run TestKillAndRestart
# It starts a real Elasticsearch unless INFRAMIND_TEST_ELASTICSEARCH names one; that also
# serves the contract tests of the log store and of the forecasts index. Without Java, Maven and unzip those tests are
# skipped, and say so.
set -euo pipefail
cd "$(dirname "$0")/.."
export E2E_BIN=$PWD/bin
E2E_REPORT=$(mktemp)
export E2E_REPORT
es_pid=
cleanup() {
  if [ -n "$es_pid" ]; then kill -- "-$es_pid" 2>/dev/null || true; fi
  rm -f "$E2E_REPORT"
}
trap cleanup EXIT

start_elasticsearch() {
  # A port from the range below the ephemeral ones, and the next one for its transport.
  local port=$((20000 + $$ % 10000)) log
  log=$(mktemp)
  set -m # a process group of its own, to be ended as a whole
  e2e/elasticsearch.sh "${E2E_CACHE:-/var/tmp/inframind-e2e-$(id -u)}" "$port" >"$log" 2>&1 &
  es_pid=$!
  set +m
  for _ in $(seq 300); do
    if curl -fsS "http://127.0.0.1:$port/_cluster/health" >/dev/null 2>&1; then
      export INFRAMIND_TEST_ELASTICSEARCH=http://127.0.0.1:$port
      rm -f "$log"
      return
    fi
    if ! kill -0 "$es_pid" 2>/dev/null; then break; fi
    sleep 1
  done
  echo "Elasticsearch did not start:" >&2
  tail -n 20 "$log" >&2
  exit 1
}

if [ -z "${INFRAMIND_TEST_ELASTICSEARCH:-}" ]; then
  if command -v java mvn unzip curl >/dev/null; then
    start_elasticsearch
  else
    echo "Java, Maven, unzip or curl is missing: the tests with Elasticsearch are skipped" >&2
  fi
fi

status=0
if [ $# = 0 ] && [ -n "${INFRAMIND_TEST_ELASTICSEARCH:-}" ]; then
  go test -count=1 -timeout 5m ./internal/logstore/elastic/ ./forecaster/realservers/ || status=$?
  go test -count=1 -timeout 5m -tags gosnmp_nodebug -run 'Elasticsearch|Killed' \
    ./anomaly-scorer/scorer/ ./log-classifier/ ./exporters/redfish_exporter/redfish/ ./exporters/ipmi_exporter/ || status=$?
fi
go test -tags e2e -count=1 -timeout 18m "$@" ./e2e/ || status=$?
if [ -s "$E2E_REPORT" ]; then
  echo
  echo "Bars (measured in this run; a slow or busy machine may exceed them):"
  column -t -s $'\t' "$E2E_REPORT"
fi
exit "$status"
