package redfish

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inframind/inframind/exporters/redfish_exporter/redfish/redfishtest"
)

// TestSelect: where it is offered only the used properties are asked for, with the same
// metrics; where the offer is not kept, each kind is tried once.
func TestSelect(t *testing.T) {
	selects := func(svc *redfishtest.Service) (n, plain int) {
		for _, p := range svc.Stats().Paths {
			switch {
			case strings.Contains(p, "$select="):
				n++
			case strings.HasSuffix(p, "/MemoryMetrics"), strings.Contains(p, "FirmwareInventory/"), strings.Contains(p, "PCIeDevices/"):
				plain++
			}
		}
		return n, plain
	}
	const single = 32 + 18 + 8 // MemoryMetrics, firmware, PCIe devices
	var want string
	for _, tc := range []struct {
		name        string
		offer       bool
		fault       func(w http.ResponseWriter) // answers to $select
		most, plain int
	}{
		{"not offered", false, nil, 0, single},
		{"offered", true, nil, single, 0},
		{"refused", true, func(w http.ResponseWriter) { http.Error(w, "{}", http.StatusNotImplemented) }, 6, single},
		{"empty", true, func(w http.ResponseWriter) { _, _ = w.Write([]byte(`{"@odata.id": "/x"}`)) }, 6, single},
		{"broken", true, func(w http.ResponseWriter) { _, _ = w.Write([]byte(`{`)) }, 6, single},
	} {
		t.Run(tc.name, func(t *testing.T) {
			svc := &redfishtest.Service{Tree: redfishtest.Full()}
			if tc.offer {
				svc.Tree[rootPath].(map[string]any)["ProtocolFeaturesSupported"] = map[string]any{"SelectQuery": true}
			}
			svc.Fault = func(w http.ResponseWriter, r *http.Request) bool {
				if tc.fault == nil || r.URL.Query().Get("$select") == "" {
					return false
				}
				tc.fault(w)
				return true
			}
			web := serve(t, svc)
			d := newDriver(t, func(c *Config) { c.Modules["default"].Concurrency = 1 })
			got := goldenText(scrapeText(t, d, web, 20*time.Second))
			if want == "" {
				want = got
			}
			if got != want {
				t.Errorf("metrics differ from those without $select:\n%s", cmp.Diff(want, got))
			}
			n, plain := selects(svc)
			if n > tc.most || plain != tc.plain || n < min(tc.most, 3) {
				t.Errorf("%d requests with $select, %d without; want at most %d and %d", n, plain, tc.most, tc.plain)
			}
			if tc.fault == nil {
				return
			}
			// Remembered: a later read does not try again.
			svc.Reset()
			for path := range d.clients {
				d.clients[path].cache = map[string]kept{}
			}
			scrapeText(t, d, web, 20*time.Second)
			if n, _ := selects(svc); n != 0 {
				t.Errorf("%d more requests with $select after it was refused", n)
			}
		})
	}
}
