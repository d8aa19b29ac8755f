package snmp

import (
	"testing"
)

// TestBuiltInModulesAreTheKnownOnes compares the modules that have the names of shipped ones with
// those: they must give the same metrics from the same objects.
func TestBuiltInModulesAreTheKnownOnes(t *testing.T) {
	known := shipped(t)
	p, err := loadProfiles()
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for name, m := range known.Modules {
		ours := p.modules[name]
		if ours == nil {
			continue
		}
		compared++
		for _, want := range m.Metrics {
			got := ours.byOID[trimOID(want.OID)]
			if got == nil || got.Name != want.Name || got.Type != want.Type || got.Scale != want.Scale || len(got.Lookups) != len(want.Lookups) {
				t.Errorf("%s: %s is not the same: %+v", name, want.Name, got)
			}
		}
	}
	if compared < 9 {
		t.Errorf("%d modules compared", compared)
	}
}
