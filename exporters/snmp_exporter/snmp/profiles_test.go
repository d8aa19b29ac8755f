package snmp

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/inframind/inframind/exporters/snmp_exporter/conf"
	"github.com/inframind/inframind/exporters/snmp_exporter/gen"
	"github.com/inframind/inframind/exporters/snmp_exporter/mib"
	"github.com/inframind/inframind/internal/testdata"
)

// TestShippedProfilesAreGenerated compiles profiles/generator.yml again and compares the result
// with profiles/snmp.yml, which must not be edited by hand.
func TestShippedProfilesAreGenerated(t *testing.T) {
	c, err := gen.Load("profiles/generator.yml")
	if err != nil {
		t.Fatal(err)
	}
	tree, _, err := mib.Load("profiles/mibs", filepath.Join(testdata.Dir(t, "snmp"), "mibs"))
	if err != nil {
		t.Fatal(err)
	}
	made, warnings, errs := gen.Generate(c, tree)
	for _, w := range append(warnings, errs...) {
		t.Error(w)
	}
	raw, err := made.Write(true)
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := conf.Parse("generated", raw)
	if err != nil {
		t.Fatal(err)
	}
	raw, err = profileFiles.ReadFile("profiles/snmp.yml")
	if err != nil {
		t.Fatal(err)
	}
	old, err := conf.Parse("profiles/snmp.yml", raw)
	if err != nil {
		t.Fatal(err)
	}
	same := cmp.Comparer(func(a, b conf.Regexp) bool { return a.String() == b.String() })
	if d := cmp.Diff(fresh.Modules, old.Modules, same, cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(conf.Filter{})); d != "" {
		t.Errorf("profiles/snmp.yml is out of date, run: go generate ./exporters/snmp_exporter/snmp\n%.3000s", d)
	}
}

// TestProfileMIBsAreClean compiles the MIBs that are our own without any others but the IETF's.
func TestProfileMIBsAreClean(t *testing.T) {
	_, warnings, err := mib.Load("profiles/mibs")
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range warnings {
		if !strings.Contains(w.Error(), "imports from ENTITY-MIB,") && !strings.Contains(w.Error(), "imports from IF-MIB,") {
			t.Error(w)
		}
	}
}

func TestChooseProfiles(t *testing.T) {
	p, err := loadProfiles()
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		id   identity
		want string // one that must be among them
		not  string
	}{
		{"by sysObjectID", identity{objectID: "1.3.6.1.4.1.9.1.1208"}, "cisco", "junos"},
		{"numbers are not prefixes", identity{objectID: "1.3.6.1.4.1.90.1"}, "interfaces", "cisco"},
		{"by sysORTable", identity{objectID: "1.3.6.1.4.1.8072.3.2.250", supports: []string{"1.3.6.1.4.1.14988.1"}}, "routeros", "cisco"},
		{"nothing known", identity{}, "apc", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			names := map[string]bool{}
			for _, m := range p.choose(tc.id) {
				names[m.name] = true
			}
			if !names[tc.want] || names[tc.not] {
				t.Errorf("chosen: %v", names)
			}
		})
	}
}
