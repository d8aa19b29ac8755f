package scorer

import (
	"testing"

	dto "github.com/prometheus/client_model/go"
)

func gather(t *testing.T, e *Engine) []*dto.MetricFamily {
	t.Helper()
	mfs, err := e.gauges.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	return mfs
}
