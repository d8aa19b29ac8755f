#!/usr/bin/env bash
# Compares the isolation forest with scikit-learn and isotree: same data, same run, one
# thread. Prints processor time, and AUROC and average precision on the labelled sets.
#
#   INFRAMIND_TESTDATA=/path/to/recordings anomaly-scorer/bench/peers.sh
#
# The peers are installed once, into PEERS_CACHE (default ~/.cache/inframind-peers).
# isotree's core is compiled from its source package: needs g++, half a minute.
set -euo pipefail
cd "$(dirname "$0")/../.."
isotree=0.6.1.post10
cache=${PEERS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/inframind-peers}
venv=${PEERS_VENV:-$cache/venv}
library=$cache/isotree-$isotree.so
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir -p "$cache"
if [ ! -x "$venv/bin/python" ]; then
	echo "installing scikit-learn into $venv" >&2
	python3 -m venv "$venv"
fi
"$venv/bin/pip" install -q numpy scikit-learn cython setuptools wheel
if [ ! -e "$library" ]; then
	echo "compiling isotree $isotree into $library" >&2
	"$venv/bin/pip" download -q --no-deps --no-build-isolation --no-binary isotree -d "$work" "isotree==$isotree"
	tar -xzf "$work/isotree-$isotree.tar.gz" -C "$work"
	# The flags of isotree's own setup.py, without link-time optimisation of a single file.
	g++ -O3 -march=native -std=c++17 -fno-math-errno -fno-trapping-math -fopenmp -D_USE_ROBIN_MAP -Drestrict=__restrict \
		-I"$work/isotree-$isotree/src" -I"$work/isotree-$isotree/src/robinmap/include" \
		-shared -fPIC anomaly-scorer/bench/isotree.cpp -o "$work/isotree.so"
	mv "$work/isotree.so" "$library"
fi
go build -o "$work/anomaly-scorer" ./anomaly-scorer
go test -run '^$' -bench 'Fit|Score' -cpu 1 -benchtime 20x ./anomaly-scorer/isoforest >"$work/ours.txt"
if [ "$(nproc)" -gt 1 ]; then
	echo "scoring with two threads, compared with one (on a busy machine this says little):"
	go test -run '^$' -bench Scaling -cpu 2 -benchtime 20x ./anomaly-scorer/isoforest | sed -n 's|^BenchmarkScaling/\([a-z]*\).* \([0-9.]*\) times-faster|  \1 \2 times faster|p' | tr -d '\t'
fi
OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 "$venv/bin/python" anomaly-scorer/bench/peers.py \
	"$work/anomaly-scorer" "$work/ours.txt" "$library" "${INFRAMIND_TESTDATA:-../shared/data}/outliers"
