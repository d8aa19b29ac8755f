package collect

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/inframind/inframind/exporters/ipmi_exporter/ipmi"
	"github.com/inframind/inframind/internal/exporter/hw"
)

type selfTest struct{ ok, known bool }

type clockOffset struct {
	ahead time.Duration
	known bool
}

// fruUnit is one FRU with what the repository calls it.
type fruUnit struct {
	part hw.Part
	ipmi.FRU
}

// manufacturers names the IANA enterprise numbers seen in servers.
func manufacturers() map[uint32]string {
	return map[uint32]string{
		2: "IBM", 11: "HP", 42: "Sun", 116: "Hitachi", 119: "NEC", 343: "Intel", 373: "Tatung", 674: "Dell", 2011: "Huawei",
		4128: "ARM", 5703: "NVIDIA", 5771: "Cisco", 6653: "Tyan", 7154: "IPMI Forum", 7244: "Quanta", 10368: "Fujitsu",
		10437: "Peppercon", 10876: "Supermicro", 15000: "Kontron", 15370: "Gigabyte", 16394: "PICMG", 19046: "Lenovo",
		20301: "IBM", 20974: "American Megatrends", 25506: "H3C", 27768: "Nat", 33049: "Mellanox", 37945: "Inspur",
		40092: "Wiwynn", 42817: "IBM", 47488: "Supermicro", 47196: "HPE", 48482: "Ampere", 49622: "ASRock Rack",
		49769: "YADRO", 51974: "HXT", 52538: "Ampere",
	}
}

// collectBMC sends what the BMC is and how its session came about.
func (s *scrape) collectBMC(ctx context.Context, ch chan<- prometheus.Metric) error {
	t, id := s.target, s.target.device.v
	vendor := manufacturers()[id.Manufacturer]
	ch <- gauge("ipmi_bmc_info", "What the BMC is; the value is always 1.", 1,
		"manufacturer_id", strconv.Itoa(int(id.Manufacturer)), "manufacturer", vendor, "product_id", strconv.Itoa(int(id.Product)),
		"firmware_version", id.Firmware, "ipmi_version", id.IPMI)
	suite := ""
	if t.version.Suite != 0 {
		suite = strconv.Itoa(int(t.version.Suite))
	}
	ch <- gauge("ipmi_session_info", "How the BMC is spoken to; the value is always 1.", 1,
		"interface", t.version.Interface, "cipher_suite", suite, "quirks", t.quirkNames(s.quirks))
	info := t.conn.Info()
	ch <- gauge("ipmi_session_packets", "Datagrams sent in the present session.", float64(info.Packets))
	ch <- gauge("ipmi_session_retries", "Datagrams of the present session that had to be sent again.", float64(info.Retries))
	bmc := hw.Part{ID: "bmc", Type: hw.Enclosure, Name: "BMC", Parent: "chassis"}
	s.driver.schema.Send(ch, hw.Info, bmc, 1, vendor, "product "+strconv.Itoa(int(id.Product)), "", id.Firmware)
	s.driver.schema.Send(ch, hw.FirmwareInfo, bmc, 1, id.Firmware)
	s.age(ch, "bmc", t.device.read)
	s.age(ch, "sdr", t.repo.read)
	s.age(ch, "thresholds", t.repo.thresholds.read)
	refresh := time.Duration(s.module.Refresh)
	err := s.optional("self test", func() error {
		if !t.selfTest.fresh(s.start, refresh) {
			ok, known, err := ipmi.SelfTest(ctx, s.conn())
			if err != nil {
				return err
			}
			t.selfTest = aged[selfTest]{selfTest{ok, known}, s.start}
		}
		if t.selfTest.v.known {
			ch <- gauge("ipmi_bmc_self_test_passed", "Whether the BMC's last self test found no fault.", asFloat(t.selfTest.v.ok))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.optional("SEL time", func() error { return s.clock(ctx, ch) }); err != nil {
		return err
	}
	return s.optional("power-on time", func() error {
		if !t.powerOn.fresh(s.start, refresh) {
			on, err := ipmi.PowerOnTime(ctx, s.conn())
			if err != nil {
				return err
			}
			t.powerOn = aged[time.Duration]{on, s.start}
		}
		ch <- constant(prometheus.CounterValue, "ipmi_chassis_power_on_seconds_total", "Time that the system has been powered on in its life.", t.powerOn.v.Seconds())
		return nil
	})
}

// clock compares the BMC's clock, which stamps the event log, with ours.
func (s *scrape) clock(ctx context.Context, ch chan<- prometheus.Metric) error {
	t := s.target
	if !t.clock.fresh(s.start, time.Duration(s.module.Refresh)) {
		at, ok, err := ipmi.SELTime(ctx, s.conn())
		if err != nil {
			return err
		}
		t.clock = aged[clockOffset]{clockOffset{time.Until(at).Round(time.Second), ok}, s.start}
	}
	if t.clock.v.known {
		ch <- gauge("ipmi_bmc_clock_offset_seconds", "How far the BMC's clock is ahead of ours, if it runs in UTC.", t.clock.v.ahead.Seconds())
	}
	return nil
}

// collectFRU sends the inventory of replaceable units.
func (s *scrape) collectFRU(ctx context.Context, ch chan<- prometheus.Metric) error {
	t := s.target
	var err error
	if !t.frus.fresh(s.start, time.Duration(s.module.Refresh)) {
		err = s.readFRUs(ctx)
	}
	for _, f := range t.frus.v {
		s.sendFRU(ch, f)
	}
	s.age(ch, "fru", t.frus.read)
	return err
}

// readFRUs reads FRU 0 and those that the repository names. What was read before an error
// is kept until the next scrape; units that do not answer are left out.
func (s *scrape) readFRUs(ctx context.Context) error {
	list := []ipmi.FRULocator{{ID: 0, Logical: true, Name: "Builtin FRU"}}
	if repo := s.target.repo.decoded; repo != nil {
		for _, l := range repo.FRUs {
			switch {
			case !l.Logical || l.Device != 0x20:
			case l.ID == 0:
				list[0] = l
			default:
				list = append(list, l)
			}
		}
	}
	var units []fruUnit
	seen := map[byte]bool{}
	var failed error
	for _, l := range list {
		if seen[l.ID] {
			continue
		}
		seen[l.ID] = true
		f, err := ipmi.ReadFRU(ctx, s.conn(), l.ID)
		switch {
		case err == nil && !f.Empty():
			units = append(units, newFRUUnit(l, *f))
		case err == nil || errors.Is(err, ipmi.ErrNoFRU):
		case !answered(err):
			if len(s.target.frus.v) == 0 {
				s.target.frus.v = units
			}
			return err
		default:
			failed = err
		}
	}
	s.target.frus = aged[[]fruUnit]{units, s.start}
	return failed
}

func newFRUUnit(l ipmi.FRULocator, f ipmi.FRU) fruUnit {
	p := hw.Part{ID: "fru_" + strconv.Itoa(int(l.ID)), Type: entityType(l.Entity), Name: l.Name, Parent: "chassis"}
	if l.Entity.ID != 0 {
		p.Parent = parent(l.Entity)
	}
	return fruUnit{p, f}
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

func (s *scrape) sendFRU(ch chan<- prometheus.Metric, f fruUnit) {
	s.driver.schema.Send(ch, hw.Info, f.part, 1, first(f.ProductManufacturer, f.BoardManufacturer), first(f.ProductName, f.BoardName),
		first(f.ProductSerial, f.BoardSerial, f.ChassisSerial), f.ProductVersion)
	made := ""
	if !f.BoardMade.IsZero() {
		made = f.BoardMade.Format(time.DateOnly)
	}
	ch <- gauge("ipmi_fru_info", "Inventory of the unit as its EEPROM has it; the value is always 1.", 1,
		"hw_id", f.part.ID, "hw_name", f.part.Name, "chassis_part", f.ChassisPart, "chassis_serial", f.ChassisSerial,
		"board_manufacturer", f.BoardManufacturer, "board_name", f.BoardName, "board_part", f.BoardPart, "board_serial", f.BoardSerial, "board_made", made,
		"product_manufacturer", f.ProductManufacturer, "product_name", f.ProductName, "product_part", f.ProductPart, "product_version", f.ProductVersion,
		"product_serial", f.ProductSerial, "asset_tag", f.AssetTag)
	if f.Capacity > 0 {
		s.driver.schema.Send(ch, hw.PSULimitWatts, f.part, float64(f.Capacity))
	}
}
