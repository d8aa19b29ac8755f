package ipmi

// Unit is what a sensor's value is measured in (sensor units 1 to 3 of its SDR).
type Unit struct {
	Percent  bool
	Base     byte // table 43-15
	Modifier byte // table 43-15
	Combine  byte // 1: base per modifier, 2: base times modifier
	Rate     byte // see rateNames
}

// Base units that have metrics of their own.
const (
	UnitNone       = 0
	UnitCelsius    = 1
	UnitFahrenheit = 2
	UnitKelvin     = 3
	UnitVolt       = 4
	UnitAmpere     = 5
	UnitWatt       = 6
	UnitJoule      = 7
	UnitKilopascal = 14
	UnitPSI        = 15
	UnitCFM        = 17
	UnitRPM        = 18
	UnitHertz      = 19
)

var unitNames = [...]string{
	"unspecified", "degrees C", "degrees F", "degrees K", "Volts", "Amps", "Watts", "Joules", "Coulombs", "VA", "Nits",
	"lumen", "lux", "Candela", "kPa", "PSI", "Newton", "CFM", "RPM", "Hz", "microsecond", "millisecond", "second", "minute",
	"hour", "day", "week", "mil", "inches", "feet", "cu in", "cu feet", "mm", "cm", "m", "cu cm", "cu m", "liters",
	"fluid ounce", "radians", "steradians", "revolutions", "cycles", "gravities", "ounce", "pound", "ft-lb", "oz-in", "gauss",
	"gilberts", "henry", "millihenry", "farad", "microfarad", "ohms", "siemens", "mole", "becquerel", "PPM", "reserved",
	"Decibels", "DbA", "DbC", "gray", "sievert", "color temp deg K", "bit", "kilobit", "megabit", "gigabit", "byte", "kilobyte",
	"megabyte", "gigabyte", "word", "dword", "qword", "line", "hit", "miss", "retry", "reset", "overflow", "underrun",
	"collision", "packets", "messages", "characters", "error", "correctable error", "uncorrectable error", "fatal error", "grams",
}

var rateNames = [...]string{"", "us", "ms", "s", "min", "hour", "day", "?"}

func unitName(code byte) string {
	if int(code) < len(unitNames) {
		return unitNames[code]
	}
	return "unknown"
}

// Simple tells whether the unit is its base alone.
func (u Unit) Simple() bool { return !u.Percent && u.Combine == 0 && u.Rate == 0 }

// String writes the unit as ipmitool does, and the rate after a slash.
func (u Unit) String() string {
	s := unitName(u.Base)
	switch u.Combine {
	case 1:
		s += "/" + unitName(u.Modifier)
	case 2:
		s += " * " + unitName(u.Modifier)
	}
	if u.Percent {
		if u.Base == UnitNone && u.Combine == 0 {
			s = "percent"
		} else {
			s = "% " + s
		}
	}
	if r := rateNames[u.Rate&7]; r != "" {
		s += "/" + r
	}
	return s
}
