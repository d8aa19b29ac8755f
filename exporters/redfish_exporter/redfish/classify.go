package redfish

import (
	"context"
	"strings"

	"github.com/inframind/inframind/internal/exporter"
)

// classOther is the class of a Redfish service of a vendor that no row names.
const classOther = "other"

// classRow tells a class by what the service root says, which every service shows without a
// login (DSP0266).
type classRow struct {
	class string
	words []string // any of them in Vendor, Product or Name, in lower case
	oem   []string // or any of these keys under Oem
}

// classRows are looked at in order: makers of servers put their own name on others' BMCs, and
// NVIDIA and others build on OpenBMC.
func classRows() []classRow {
	return []classRow{
		{"nvidia", []string{"nvidia", "hgx", "gb200", "gb300"}, []string{"Nvidia"}},
		{"dell", []string{"dell", "idrac"}, []string{"Dell"}},
		{"hpe", []string{"hpe", "hewlett", "proliant", "integrated lights-out"}, []string{"Hpe", "Hp"}},
		{"lenovo", []string{"lenovo", "xclarity", "thinksystem"}, []string{"Lenovo"}},
		{"supermicro", []string{"supermicro", "super micro"}, []string{"Supermicro"}},
		{"fujitsu", []string{"fujitsu", "fsas", "primergy", "irmc"}, []string{"ts_fujitsu"}},
		{"cisco", []string{"cisco", "ucs", "cimc"}, []string{"Cisco"}},
		{"huawei", []string{"huawei", "xfusion", "ibmc"}, []string{"Huawei", "xFusion"}},
		{"inspur", []string{"inspur", "kaytus", "ieit"}, []string{"Public", "Inspur"}},
		{"openbmc", []string{"openbmc"}, []string{"OpenBmc", "OpenBMC"}},
	}
}

// Classes implements exporter.Classifier.
func (d *Driver) Classes() []string {
	var out []string
	for _, r := range classRows() {
		out = append(out, r.class)
	}
	return append(out, classOther)
}

// Classify implements exporter.Classifier by one request for the service root, without a
// credential.
func (d *Driver) Classify(ctx context.Context, target, module string) (string, error) {
	m := d.conf.Modules["default"]
	if module != "" {
		m = d.conf.Modules[module]
	}
	c, err := newClient(target, exporter.Credential{}, m, d.log, d.metrics.request)
	if err != nil {
		return "", err
	}
	defer c.http.CloseIdleConnections()
	root, err := c.get(ctx, rootPath, urgent, options{})
	if absent(err) {
		root, err = c.get(ctx, rootPath+"/", urgent, options{})
	}
	if err != nil {
		return "", err
	}
	if !root.has("RedfishVersion") && !root.has("Systems") && !root.has("Chassis") {
		return "", exporter.Failf(exporter.ReasonProtocol, "no Redfish service answers there")
	}
	return classOf(root), nil
}

func classOf(root Node) string {
	// Product and Vendor are made for this; services from before Redfish 1.5 have only Name.
	said := strings.ToLower(strings.Join([]string{root.str("Vendor"), root.str("Product"), root.str("Name")}, " "))
	oem := root.obj("Oem")
	for _, r := range classRows() {
		for _, w := range r.words {
			if hasWord(said, w) {
				return r.class
			}
		}
		for _, key := range r.oem {
			if oem.m[key] != nil {
				return r.class
			}
		}
	}
	// OpenBMC names no vendor; its one manager has always the same name.
	if strings.HasSuffix(root.link("Links.ManagerProvidingService"), "/Managers/bmc") {
		return "openbmc"
	}
	return classOther
}

// hasWord says that a word begins with w somewhere in text.
func hasWord(text, w string) bool {
	for {
		i := strings.Index(text, w)
		if i < 0 {
			return false
		}
		if i == 0 || strings.ContainsRune(" -_/(.,", rune(text[i-1])) {
			return true
		}
		text = text[i+len(w):]
	}
}
