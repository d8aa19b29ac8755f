#!/usr/bin/env bash
# Runs the end-to-end tests with the binaries in bin/ and prints the measured bars.
# usage: e2e/run.sh [go test arguments], e.g. e2e/run.sh -run TestKillAndRestart
set -euo pipefail
cd "$(dirname "$0")/.."
export E2E_BIN=$PWD/bin
E2E_REPORT=$(mktemp)
export E2E_REPORT
trap 'rm -f "$E2E_REPORT"' EXIT
status=0
go test -tags e2e -count=1 -timeout 18m "$@" ./e2e/ || status=$?
if [ -s "$E2E_REPORT" ]; then
  echo
  echo "Bars (measured in this run; a slow or busy machine may exceed them):"
  column -t -s $'\t' "$E2E_REPORT"
fi
exit "$status"
