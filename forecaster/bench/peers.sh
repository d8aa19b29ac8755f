#!/bin/sh
# Our forecasts against Prophet and statsforecast: same series, same run, one thread each.
# Usage: forecaster/bench/peers.sh [SET...]; sets: m4 bitbrains smd asd nab generated.
# SERIES (default 40) series of each set are used. Python packages go into .cache/.
set -eu
cd "$(dirname "$0")/../.."
venv=${VENV:-.cache/venv-forecaster}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if ! "$venv/bin/python" -c 'import prophet, statsforecast' 2>/dev/null; then
	python3 -m venv "$venv"
	"$venv/bin/pip" install --quiet prophet statsforecast
fi
go build -o "$work/forecaster" ./forecaster
go build -o "$work/sets" ./forecaster/bench/sets
for set in ${*:-m4 generated}; do
	"$work/sets" --set "$set" --max "${SERIES:-40}" --train "$work/train.csv" --test "$work/test.csv" || continue
	echo "== $set"
	OMP_NUM_THREADS=1 "$venv/bin/python" forecaster/bench/peers.py "$work/forecaster" "$work/train.csv" "$work/test.csv"
done
