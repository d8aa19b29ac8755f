#!/bin/sh
# Builds VictoriaMetrics and Thanos from their Go modules and tests the forecaster against
# them: the same samples have to give the same forecasts as with Prometheus.
# Usage: forecaster/bench/servers.sh [go test arguments]
# The binaries stay in .cache/servers/. The first build takes minutes.
set -eu
cd "$(dirname "$0")/../.."
mkdir -p .cache/servers
cache=$PWD/.cache/servers

# build NAME MODULE VERSION PACKAGE [TAGS]: replacements and checksums are those of the module
# itself, as if it were built in its own tree.
build() {
	[ -x "$cache/$1" ] && return
	src=$(go mod download -json "$2@$3" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
	(
		mkdir -p "$cache/build-$1"
		cd "$cache/build-$1"
		printf 'module servers\n\ngo 1.26\n\nrequire %s %s\n\n' "$2" "$3" >go.mod
		sed -n '/^replace (/,/^)/p; /^replace [^(]/p' "$src/go.mod" >>go.mod
		cp "$src/go.sum" go.sum
		chmod u+w go.sum
		nice -n 19 go build -mod=mod -tags "${5:-}" -o "$cache/$1" "$2/$4"
	)
}

build victoria-metrics github.com/VictoriaMetrics/VictoriaMetrics v1.122.0 app/victoria-metrics
build thanos github.com/thanos-io/thanos v0.41.0 cmd/thanos slicelabels
export INFRAMIND_TEST_VICTORIAMETRICS="$cache/victoria-metrics" INFRAMIND_TEST_THANOS="$cache/thanos"
go test -count=1 -timeout 10m "$@" ./forecaster/realservers
