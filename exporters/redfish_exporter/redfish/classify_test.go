package redfish

import (
	"testing"

	"github.com/inframind/inframind/exporters/redfish_exporter/redfish/redfishtest"
	"github.com/inframind/inframind/internal/exporter"
)

func TestClassOf(t *testing.T) {
	for _, tc := range []struct{ root, want string }{
		{`{"Vendor": "Dell", "Product": "Integrated Dell Remote Access Controller"}`, "dell"},
		{`{"Name": "Root Service", "Product": "Integrated Dell Remote Access Controller", "Oem": {"Dell": {}}}`, "dell"},
		{`{"Vendor": "HPE", "Product": "ProLiant DL380 Gen11", "Name": "HPE RESTful Root Service"}`, "hpe"},
		{`{"Name": "HP RESTful Root Service", "Oem": {"Hp": {"Manager": []}}}`, "hpe"},
		{`{"Vendor": "Lenovo"}`, "lenovo"},
		{`{"Vendor": "Supermicro", "Product": null}`, "supermicro"},
		{`{"Vendor": "FUJITSU", "Product": "iRMC S6"}`, "fujitsu"},
		{`{"Oem": {"ts_fujitsu": {}}}`, "fujitsu"},
		{`{"Vendor": "Cisco Systems Inc.", "Product": "UCSC-C240-M5SN"}`, "cisco"},
		{`{"Oem": {"Huawei": {"ProductName": "RH2288"}}}`, "huawei"},
		{`{"Vendor": "Inspur"}`, "inspur"},
		{`{"Vendor": "NVIDIA", "Product": "P3809", "Links": {"ManagerProvidingService": {"@odata.id": "/redfish/v1/Managers/bmc"}}}`, "nvidia"},
		{`{"Product": "OpenBMC"}`, "openbmc"},
		{`{"Name": "Root Service", "Links": {"ManagerProvidingService": {"@odata.id": "/redfish/v1/Managers/bmc"}}}`, "openbmc"},
		{`{"Name": "Root Service", "Vendor": "Giga Computing"}`, "other"},
		{`{"Vendor": "Success Inc."}`, "other"}, // no "ucs" in it
		{`{}`, "other"},
	} {
		n, err := decode([]byte(tc.root))
		if err != nil {
			t.Fatal(err)
		}
		if got := classOf(n); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.root, got, tc.want)
		}
	}
}

// TestClassify asks a service for its class without a login; what is no Redfish has none.
func TestClassify(t *testing.T) {
	tree := redfishtest.Full()
	tree["/redfish/v1"].(map[string]any)["Vendor"] = "HPE"
	svc := &redfishtest.Service{Tree: tree}
	web := serve(t, svc)
	d := newDriver(t, nil)
	var _ exporter.Classifier = d
	if class, err := d.Classify(t.Context(), web.URL, ""); class != "hpe" || err != nil {
		t.Errorf("%s, %v", class, err)
	}
	if st := svc.Stats(); st.Requests != 1 || st.MadeSession != 0 {
		t.Errorf("%d requests, %d sessions", st.Requests, st.MadeSession)
	}
	plain := serve(t, &redfishtest.Service{Tree: map[string]any{"/redfish/v1": map[string]any{"hello": "printer"}}})
	for target, reason := range map[string]string{plain.URL: exporter.ReasonProtocol, "http://127.0.0.1:1": exporter.ReasonRefused} {
		if class, err := d.Classify(t.Context(), target, "default"); class != "" || exporter.Reason(err) != reason {
			t.Errorf("%s: %q, %v", target, class, err)
		}
	}
}
