#!/bin/sh
# Labels and mines the same recorded lines with this project, scikit-learn and drain3, in one
# run, and prints lines per second of processor time on one core.
#
#   log-classifier/bench/peers.sh [FOLDER OF LABELLED LOGS]
#
# Needs python3 with venv; PEERS_VENV names an environment that has scikit-learn and drain3.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
data=${1:-${INFRAMIND_TESTDATA:-$here/../../../shared/data}/logs}
if [ ! -d "$data/labels" ]; then
	echo "peers.sh: no labelled logs in $data: name their folder" >&2
	exit 2
fi
venv=${PEERS_VENV:-}
if [ -z "$venv" ]; then
	venv=$(mktemp -d)
	trap 'rm -rf "$venv"' EXIT
	python3 -m venv "$venv"
	"$venv/bin/pip" install -q 'scikit-learn>=1.5' 'drain3>=0.9.11'
fi
root=$(dirname "$data")
case $data in
*/logs) ;;
*)
	echo "peers.sh: the folder must be called logs" >&2
	exit 2
	;;
esac
cd "$here/../.."
INFRAMIND_TESTDATA=$root go test ./log-classifier/classify -run '^$' -bench 'BenchmarkLabel|BenchmarkTemplates' -benchtime 3s -cpu 1 |
	awk '/^Benchmark/ { for (i = 3; i < NF; i++) if ($(i + 1) == "lines/cpu-s") printf "%-44s %12d lines/cpu-s\n", "inframind " $1, $i }'
OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 "$venv/bin/python" "$here/peers.py" "$data" "$here/../corpus/core.csv"
