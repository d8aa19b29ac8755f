#!/usr/bin/env bash
# Runs a real Elasticsearch 8 node on 127.0.0.1 in the foreground.
# usage: e2e/elasticsearch.sh WORKDIR [PORT]
# WORKDIR keeps the distribution between runs: the integration-test build from Maven Central
# (107 MB, needs Java 17 and Maven). Search, bulk, aggregations and index templates are in
# it; ILM, data streams and painless are not, and GET / answers 405. Elasticsearch refuses to
# run as root, so it drops to an unprivileged user. Ready in 20-45 s; about 850 MB of memory.
set -euo pipefail
work=$(mkdir -p "$1" && cd "$1" && pwd)
port=${2:-19200}
version=${ES_VERSION:-8.19.21}
home=$work/elasticsearch-$version
if [ ! -x "$home/bin/elasticsearch" ]; then
  mvn -q -B dependency:copy \
    "-Dartifact=org.elasticsearch.distribution.integ-test-zip:elasticsearch:$version:zip" "-DoutputDirectory=$work"
  unzip -q -o "$work/elasticsearch-$version.zip" -d "$work"
  rm "$work/elasticsearch-$version.zip"
fi
run=$(mktemp -d "$work/run.XXXX")
mkdir -p "$run"/{data,logs,tmp,config}
cp -r "$home/config/." "$run/config/"
cat > "$run/config/elasticsearch.yml" <<YML
cluster.name: e2e
node.name: e2e-1
discovery.type: single-node
network.host: 127.0.0.1
http.port: $port
transport.port: $((port + 1))
path.data: $run/data
path.logs: $run/logs
xpack.security.enabled: false
cluster.routing.allocation.disk.threshold_enabled: false
YML
chmod 755 "$work" "$run"
drop=()
if [ "$(id -u)" = 0 ]; then
  chown -R 65534:65534 "$run"
  drop=(setpriv --reuid=65534 --regid=65534 --clear-groups)
fi
export ES_JAVA_HOME=${ES_JAVA_HOME:-$(dirname "$(dirname "$(readlink -f "$(command -v java)")")")}
export ES_PATH_CONF=$run/config ES_TMPDIR=$run/tmp ES_JAVA_OPTS="-Xms512m -Xmx512m" HOME=$run/tmp
exec "${drop[@]}" "$home/bin/elasticsearch"
