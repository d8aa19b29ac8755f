package ipmi_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/inframind/inframind/exporters/ipmi_exporter/ipmi"
	"github.com/inframind/inframind/exporters/ipmi_exporter/ipmitest"
	"github.com/inframind/inframind/internal/testdata"
)

// TestCapturedFRUs compares the inventory of captured servers with ipmitool's reading.
func TestCapturedFRUs(t *testing.T) {
	tool, err := exec.LookPath("ipmitool")
	if err != nil {
		t.Skip("ipmitool is not installed")
	}
	files, err := filepath.Glob(filepath.Join(testdata.Dir(t, "ipmi/infrasim"), "*", "*.emu"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no captured BMCs: %v", err)
	}
	head := regexp.MustCompile(`^FRU Device Description : .*\(ID (\d+)\)`)
	compared := 0
	for _, file := range files {
		addr := ipmitest.Sim(t, file)
		host, port, _ := strings.Cut(addr, ":")
		// ipmitool's exit status is 1 when any unit has no inventory.
		out, _ := exec.CommandContext(t.Context(), tool, "-I", "lanplus", "-C", "3", "-H", host, "-p", port, "-U", ipmitest.User, "-P", ipmitest.Password, "fru").Output()
		c := dial(t, addr, ipmi.Options{})
		var fru *ipmi.FRU
		for line := range strings.SplitSeq(string(out), "\n") {
			if m := head.FindStringSubmatch(line); m != nil {
				id, err := strconv.Atoi(m[1])
				if err != nil {
					t.Fatal(err)
				}
				if fru, err = ipmi.ReadFRU(t.Context(), c, byte(id)); err != nil {
					fru = nil
				}
				continue
			}
			name, want, ok := strings.Cut(line, " : ")
			got := fruField(fru, strings.TrimSpace(name))
			want = strings.TrimSpace(want)
			if !ok || got == nil {
				if fru == nil && fruField(&ipmi.FRU{}, strings.TrimSpace(name)) != nil {
					t.Errorf("%s: not read here, ipmitool has %s", filepath.Base(file), line)
				}
				continue
			}
			compared++
			// ipmitool stops at what is no text.
			if *got != want && !strings.HasPrefix(*got, want) {
				t.Errorf("%s: %s is %q, ipmitool has %q", filepath.Base(file), strings.TrimSpace(name), *got, want)
			}
		}
	}
	if compared < 50 {
		t.Errorf("only %d fields compared", compared)
	}
}

// fruField finds a field by ipmitool's name, nil for others.
func fruField(f *ipmi.FRU, name string) *string {
	if f == nil {
		return nil
	}
	return map[string]*string{
		"Board Mfg": &f.BoardManufacturer, "Board Product": &f.BoardName, "Board Serial": &f.BoardSerial, "Board Part Number": &f.BoardPart,
		"Product Manufacturer": &f.ProductManufacturer, "Product Name": &f.ProductName, "Product Part Number": &f.ProductPart,
		"Product Version": &f.ProductVersion, "Product Serial": &f.ProductSerial, "Product Asset Tag": &f.AssetTag,
		"Chassis Part Number": &f.ChassisPart, "Chassis Serial": &f.ChassisSerial,
	}[name]
}
