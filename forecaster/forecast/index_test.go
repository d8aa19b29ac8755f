package forecast

import (
	"testing"
	"time"

	"github.com/inframind/inframind/internal/logstore"
	"github.com/inframind/inframind/internal/logstore/sqlite"
)

func TestForecastsAreIndexedOnce(t *testing.T) {
	store, err := sqlite.Open(t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}()
	f := newServer(t, map[string]func(time.Time) float64{`{"instance":"a"}`: daily(0.4), `{"instance":"b"}`: daily(0.5)})
	for range 2 { // without state, the second engine makes the same forecasts again
		if _, err := newEngine(t, testConfig(f), Options{Store: store}).RunOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	docs, err := store.Latest(t.Context(), logstore.Query{Index: logstore.IndexForecasts, Match: map[string]string{"labels.instance": "a"}})
	if err != nil || len(docs) != 2 {
		t.Fatalf("%d documents of a, %v; want one a horizon", len(docs), err)
	}
	if docs[0].Fields["forecast.target"] != "cpu_ratio" {
		t.Errorf("got %v", docs[0].Fields)
	}
}
