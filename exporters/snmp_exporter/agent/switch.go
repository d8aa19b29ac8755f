package agent

import (
	"fmt"
	"strconv"
)

// Switch makes a device with the whole ifTable and ifXTable of so many ports. Its counters grow
// with the number of the port, so that every sample can be told apart.
func Switch(ports int) (*Device, error) {
	var objects []Object
	add := func(oid string, tag byte, text string) error {
		o, err := newObject(oid, tag, text, []byte(text))
		objects = append(objects, o)
		return err
	}
	scalars := []struct {
		oid  string
		tag  byte
		text string
	}{
		{"1.3.6.1.2.1.1.1.0", tagOctets, "Bench switch"},
		{"1.3.6.1.2.1.1.2.0", tagOID, "1.3.6.1.4.1.8072.3.2.10"},
		{"1.3.6.1.2.1.1.3.0", tagTicks, "123456"},
		{"1.3.6.1.2.1.2.1.0", tagInteger, strconv.Itoa(ports)},
	}
	for _, s := range scalars {
		if err := add(s.oid, s.tag, s.text); err != nil {
			return nil, err
		}
	}
	for p := 1; p <= ports; p++ {
		for col := 1; col <= 22; col++ {
			tag, text := ifTableValue(col, p)
			if err := add(fmt.Sprintf("1.3.6.1.2.1.2.2.1.%d.%d", col, p), tag, text); err != nil {
				return nil, err
			}
		}
		for col := 1; col <= 19; col++ {
			tag, text := ifXTableValue(col, p)
			if err := add(fmt.Sprintf("1.3.6.1.2.1.31.1.1.1.%d.%d", col, p), tag, text); err != nil {
				return nil, err
			}
		}
	}
	return NewDevice(objects)
}

func ifTableValue(col, port int) (tag byte, text string) {
	switch col {
	case 1:
		return tagInteger, strconv.Itoa(port)
	case 2:
		return tagOctets, fmt.Sprintf("GigabitEthernet1/0/%d", port)
	case 3:
		return tagInteger, "6"
	case 4:
		return tagInteger, "1500"
	case 5:
		return tagGauge32, "1000000000"
	case 6:
		return tagOctets, fmt.Sprintf("%06d", port%1_000_000)
	case 7, 8:
		return tagInteger, "1"
	case 9:
		return tagTicks, "4711"
	case 21:
		return tagGauge32, "0"
	case 22:
		return tagOID, "0.0"
	}
	return tagCounter32, strconv.Itoa(col*1_000_000 + port)
}

func ifXTableValue(col, port int) (tag byte, text string) {
	switch {
	case col == 1:
		return tagOctets, fmt.Sprintf("Gi1/0/%d", port)
	case col >= 6 && col <= 13:
		return tagCounter64, strconv.Itoa(col*1_000_000_000_000 + port)
	case col == 14, col == 16, col == 17:
		return tagInteger, "1"
	case col == 15:
		return tagGauge32, "1000"
	case col == 18:
		return tagOctets, fmt.Sprintf("port %d", port)
	case col == 19:
		return tagTicks, "0"
	}
	return tagCounter32, strconv.Itoa(col*1_000_000 + port)
}
