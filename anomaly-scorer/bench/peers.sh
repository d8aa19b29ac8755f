#!/usr/bin/env bash
# Compares the isolation forest with scikit-learn and isotree: same data, same run, one
# thread. Prints processor time, and AUROC and average precision on the labelled sets.
#
#   PEERS_VENV=/path/to/venv INFRAMIND_TESTDATA=/path/to/recordings anomaly-scorer/bench/peers.sh
#
# Without PEERS_VENV a virtual environment is made in a temporary folder.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
venv=${PEERS_VENV:-$work/venv}
if [ ! -x "$venv/bin/python" ]; then
	python3 -m venv "$venv"
	"$venv/bin/pip" install -q numpy scikit-learn
	# isotree has no wheels for every platform; building it takes minutes and may fail.
	"$venv/bin/pip" install -q isotree || echo "isotree could not be installed: left out" >&2
fi
go build -o "$work/anomaly-scorer" ./anomaly-scorer
go test -run '^$' -bench 'Fit|Score' -cpu 1 -benchtime 20x ./anomaly-scorer/isoforest >"$work/ours.txt"
OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 "$venv/bin/python" anomaly-scorer/bench/peers.py \
	"$work/anomaly-scorer" "$work/ours.txt" "${INFRAMIND_TESTDATA:-../shared/data}/outliers"
