package elastic

import (
	"os"
	"testing"

	commoncfg "github.com/prometheus/common/config"

	"github.com/inframind/inframind/internal/logstore"
	"github.com/inframind/inframind/internal/logstore/storetest"
)

// server returns the address of the real server that the tests need.
func server(tb testing.TB) string {
	tb.Helper()
	addr := os.Getenv("INFRAMIND_TEST_ELASTICSEARCH")
	if addr == "" {
		tb.Skip("no Elasticsearch: set INFRAMIND_TEST_ELASTICSEARCH to its address; e2e/elasticsearch.sh starts one")
	}
	return addr
}

func conf(addr string) Config {
	zero := 0
	return Config{URLs: []string{addr}, HTTPConfig: commoncfg.DefaultHTTPClientConfig, Replicas: &zero}
}

func TestContract(t *testing.T) {
	addr := server(t)
	storetest.Run(t, func(*testing.T) storetest.Opener {
		return func() (logstore.Store, error) { return New(conf(addr)) }
	})
}
