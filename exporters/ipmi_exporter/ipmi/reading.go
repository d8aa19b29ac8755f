package ipmi

import (
	"context"
	"errors"
	"fmt"
	"math"
)

// Analog data formats (table 43-1, sensor units 1).
const (
	formatUnsigned = 0
	formatOnes     = 1
	formatTwos     = 2
	formatNone     = 3
)

// Factors convert a raw reading: y = L((M*x + B*10^BExp) * 10^RExp), section 36.3.
type Factors struct {
	Format     byte
	M, B       int16 // 10 bits, signed
	BExp, RExp int8  // 4 bits, signed
}

// decodeFactors reads bytes 25 to 30 of a full SDR, which Get Sensor Reading Factors
// returns in the same layout.
func decodeFactors(b []byte) Factors {
	ten := func(low, high byte) int16 { return int16(uint16(low)<<6|uint16(high>>6)<<14) >> 6 }
	four := func(n byte) int8 { return int8(n<<4) >> 4 }
	return Factors{M: ten(b[0], b[1]), B: ten(b[2], b[3]), RExp: four(b[5] >> 4), BExp: four(b[5])}
}

// Linearise is the function that follows the factors (table 43-1, byte 24).
type Linearise byte

// NonLinear marks sensors whose factors depend on the reading.
func (l Linearise) NonLinear() bool { return l >= 0x70 }

// known tells whether apply has the function.
func (l Linearise) known() bool { return l <= 11 || l.NonLinear() }

func (l Linearise) apply(v float64) float64 {
	switch l {
	case 1:
		return math.Log(v)
	case 2:
		return math.Log10(v)
	case 3:
		return math.Log2(v)
	case 4:
		return math.Exp(v)
	case 5:
		return math.Pow(10, v)
	case 6:
		return math.Exp2(v)
	case 7:
		return 1 / v
	case 8:
		return v * v
	case 9:
		return v * v * v
	case 10:
		return math.Sqrt(v)
	case 11:
		return math.Cbrt(v)
	}
	return v
}

func signed(x, format byte) float64 {
	switch format {
	case formatTwos:
		return float64(int8(x))
	case formatOnes:
		if x&0x80 != 0 {
			return -float64(^x)
		}
	}
	return float64(x)
}

// scaled keeps 1.2 at 1.2: dividing by a power of ten is exact where multiplying by its
// inverse is not.
func scaled(v float64, exp int8) float64 {
	if exp < 0 {
		return v / math.Pow10(-int(exp))
	}
	return v * math.Pow10(int(exp))
}

// Convert turns a raw byte into the sensor's unit. ok is false when the result is no
// number: factors that are all zero, an unknown function, 1/0, the logarithm of 0.
func (s *Sensor) Convert(raw byte) (v float64, ok bool) { return s.convert(raw, s.Factors) }

func (s *Sensor) convert(raw byte, f Factors) (float64, bool) {
	if f.M == 0 && f.B == 0 || !s.Analog || !s.Linear.known() {
		return 0, false
	}
	x, e := float64(f.M)*signed(raw, s.Factors.Format), f.RExp
	if f.BExp < 0 { // one division at the end, so that (95 + 100/10)/100 is not rounded twice
		x, e = x*math.Pow10(-int(f.BExp))+float64(f.B), e+f.BExp
	} else {
		x += float64(f.B) * math.Pow10(int(f.BExp))
	}
	y := s.Linear.apply(scaled(x, e))
	return y, !math.IsNaN(y) && !math.IsInf(y, 0)
}

// Indexes and bits of thresholds in all answers of a BMC (section 35.8).
const (
	LNC = iota // lower non-critical
	LCR        // lower critical
	LNR        // lower non-recoverable
	UNC        // upper non-critical
	UCR        // upper critical
	UNR        // upper non-recoverable
)

// Reading is one answer of a sensor (section 35.14).
type Reading struct {
	Sensor   *Sensor
	Raw      byte
	Value    float64
	HasValue bool   // Value is valid
	Disabled bool   // the sensor is not scanned
	Missing  bool   // the BMC has no reading at present
	States   uint16 // threshold comparison or discrete states, as in table 35-15
	HasState bool   // States is valid
	Err      error  // the BMC refused
}

// Usable tells whether the reading says anything.
func (r *Reading) Usable() bool { return r.Err == nil && !r.Disabled && !r.Missing }

// decode fills r from the answer to Get Sensor Reading. Short answers are common.
func (r *Reading) decode(b []byte, q Quirks) {
	if len(b) < 1 {
		r.Err = fmt.Errorf("%w: empty sensor reading", ErrMalformed)
		return
	}
	r.Raw = b[0]
	if len(b) >= 2 {
		r.Disabled = b[1]&0x40 == 0 && !q.IgnoreScanning
		r.Missing = b[1]&0x20 != 0
	}
	if r.Disabled || r.Missing {
		return
	}
	if len(b) >= 3 {
		r.HasState = true
		r.States = uint16(b[2])
		if r.Sensor.Threshold() {
			r.States &= 0x3f
		} else if len(b) >= 4 {
			r.States |= uint16(b[3]&0x7f) << 8
		}
	}
	if r.Sensor.Analog && !r.Sensor.Linear.NonLinear() {
		r.Value, r.HasValue = r.Sensor.Convert(r.Raw)
	}
}

// ReadSensors reads sensors, which CanRead, and calls each for every one as the answers
// come in. A BMC that is busy is asked once more.
func ReadSensors(ctx context.Context, c Conn, sensors []*Sensor, q Quirks, each func(Reading)) error {
	var busy []*Sensor
	var nonLinear []Reading
	take := func(r Reading) {
		if r.Usable() && r.Sensor.Analog && r.Sensor.Linear.NonLinear() {
			nonLinear = append(nonLinear, r)
			return
		}
		each(r)
	}
	err := readSensors(ctx, c, sensors, q, func(r Reading) {
		if transient(r.Err) {
			busy = append(busy, r.Sensor)
			return
		}
		take(r)
	})
	if err == nil && len(busy) > 0 {
		err = readSensors(ctx, c, busy, q, take)
	}
	if err != nil {
		return err
	}
	for _, r := range nonLinear {
		f, err := readingFactors(ctx, c, r.Sensor, r.Raw)
		if err == nil {
			r.Value, r.HasValue = r.Sensor.convert(r.Raw, f)
		} else if ctx.Err() != nil {
			return err
		}
		each(r)
	}
	return nil
}

func readSensors(ctx context.Context, c Conn, sensors []*Sensor, q Quirks, each func(Reading)) error {
	reqs := make([]Request, len(sensors))
	data := make([]byte, len(sensors))
	for i, s := range sensors {
		data[i] = s.Number
		reqs[i] = Request{NetFn: netFnSensor, LUN: s.LUN, Cmd: 0x2d, Data: data[i : i+1], Bridge: s.bridge()}
	}
	return c.Exchange(ctx, reqs, func(i int, b []byte, err error) {
		r := Reading{Sensor: sensors[i], Err: err}
		if err == nil {
			r.decode(b, q)
		}
		each(r)
	})
}

// transient tells whether a refusal may be gone the next moment.
func transient(err error) bool {
	var c CompletionCode
	return errors.As(err, &c) && (c == CodeNodeBusy || c == CodeTimeout || c == CodeCannotRespond || c == CodeDuplicated)
}

// readingFactors asks for the factors of one raw reading (section 35.5).
func readingFactors(ctx context.Context, c Conn, s *Sensor, raw byte) (Factors, error) {
	b, err := do(ctx, c, 7, Request{NetFn: netFnSensor, LUN: s.LUN, Cmd: 0x23, Data: []byte{s.Number, raw}, Bridge: s.bridge()})
	if err != nil {
		return Factors{}, err
	}
	return decodeFactors(b[1:7]), nil
}

// Thresholds are those of one sensor in its unit; bit i of Mask says that Value[i] is valid.
type Thresholds struct {
	Mask  byte
	Value [6]float64
}

// ReadThresholds asks for the thresholds in force (section 35.9), which may differ from
// the SDR's. Where the BMC does not answer, those of the SDR stand. The result has one
// entry for each sensor.
func ReadThresholds(ctx context.Context, c Conn, sensors []*Sensor) ([]Thresholds, error) {
	out := make([]Thresholds, len(sensors))
	var reqs []Request
	var index []int
	for i, s := range sensors {
		if !s.Threshold() || s.Readable == 0 || !s.Analog {
			continue
		}
		if out[i] = s.Thresholds(); s.Fixed {
			continue
		}
		reqs = append(reqs, Request{NetFn: netFnSensor, LUN: s.LUN, Cmd: 0x27, Data: []byte{s.Number}, Bridge: s.bridge()})
		index = append(index, i)
	}
	type answer struct {
		i   int
		raw [7]byte
	}
	var nonLinear []answer
	err := c.Exchange(ctx, reqs, func(k int, b []byte, err error) {
		i := index[k]
		s := sensors[i]
		if err != nil || len(b) < 7 {
			return
		}
		if s.Linear.NonLinear() {
			nonLinear = append(nonLinear, answer{i, [7]byte(b)})
			return
		}
		out[i] = s.thresholds(b[0]&s.Readable, b[1:7], s.Factors)
	})
	if err != nil {
		return out, err
	}
	for _, a := range nonLinear {
		s := sensors[a.i]
		t := Thresholds{}
		for k := range t.Value {
			if a.raw[0]&s.Readable&(1<<k) == 0 {
				continue
			}
			f, err := readingFactors(ctx, c, s, a.raw[1+k])
			if err != nil {
				continue
			}
			one := s.thresholds(1<<k, a.raw[1:], f)
			t.Mask |= one.Mask
			t.Value[k] = one.Value[k]
		}
		out[a.i] = t
	}
	return out, nil
}

// Thresholds are those of the SDR, as far as they can be read.
func (s *Sensor) Thresholds() Thresholds {
	if !s.Threshold() || s.Linear.NonLinear() {
		return Thresholds{}
	}
	return s.thresholds(s.Readable, s.Set[:], s.Factors)
}

// thresholds converts the raw thresholds in mask.
func (s *Sensor) thresholds(mask byte, raw []byte, f Factors) Thresholds {
	var t Thresholds
	for k := range t.Value {
		if mask&(1<<k) == 0 {
			continue
		}
		if v, ok := s.convert(raw[k], f); ok {
			t.Value[k] = v
			t.Mask |= 1 << k
		}
	}
	return t
}
