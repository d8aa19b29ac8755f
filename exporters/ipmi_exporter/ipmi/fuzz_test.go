package ipmi

import (
	"bytes"
	"crypto/sha1"
	"math"
	"testing"
	"unicode/utf8"
)

func FuzzSDR(f *testing.F) {
	f.Add(compact("Drive 0", 0x1f, 0xff))
	f.Add(bytes.Join([][]byte{compact("A", 3, 0), compact("", 0, 0)}, nil))
	full := make([]byte, 60)
	full[3], full[4], full[47] = 1, 55, 0xff
	f.Add(full)
	f.Fuzz(func(t *testing.T, dump []byte) {
		for _, q := range []Quirks{{}, {CountUp: true, AnyOwner: true}} {
			rep := DecodeRecords(SplitRecords(dump), q)
			ids := map[string]bool{}
			for i := range rep.Sensors {
				s := &rep.Sensors[i]
				if !utf8.ValidString(s.Name) || len(s.Name) > 200 {
					t.Errorf("name %q", s.Name)
				}
				key := s.ID()
				if s.EventOnly {
					key += "e"
				}
				if ids[key] {
					t.Errorf("sensor %s twice", key)
				}
				ids[key] = true
				_ = s.Unit.String()
				for raw := range 256 {
					if v, ok := s.Convert(byte(raw)); ok && (math.IsNaN(v) || math.IsInf(v, 0)) {
						t.Errorf("%+v gives %v", s, v)
					}
				}
			}
		}
	})
}

func FuzzSEL(f *testing.F) {
	f.Add([]byte("0123456789abcdef"), []byte{})
	f.Add(append([]byte{1, 0, 2, 0, 0, 0, 0x60, 0x20, 0, 4, 1, 0x10, 1, 0x59}, 1, 2), compact("X", 1, 0))
	f.Fuzz(func(t *testing.T, raw, sdr []byte) {
		if len(raw) < 16 {
			return
		}
		rep := DecodeRecords(SplitRecords(sdr), Quirks{})
		e := SELRecord(raw[:16]).Decode(NewSensorIndex(rep.Sensors))
		if e.Class == "" || !utf8.ValidString(e.String()) {
			t.Errorf("%+v", e)
		}
	})
}

func FuzzFRU(f *testing.F) {
	f.Add([]byte{1, 0, 0, 1, 0, 2, 0, 0xfc, 1, 1, 25, 0, 0, 0, 0xc1, 0x24})
	f.Fuzz(func(t *testing.T, dump []byte) {
		if n := len(redactFRU(dump)); n != len(dump) {
			t.Errorf("%d bytes became %d", len(dump), n)
		}
		fru, err := DecodeFRU(dump)
		if err != nil {
			return
		}
		for _, s := range []string{fru.BoardName, fru.ProductName, fru.ChassisSerial, fru.AssetTag} {
			if !utf8.ValidString(s) {
				t.Errorf("%q", s)
			}
		}
	})
}

// FuzzPacket feeds both codecs datagrams that an attacker could send.
func FuzzPacket(f *testing.F) {
	a := algorithms{auth: 1, integrity: 1, hash: sha1.New, icv: 12}
	good, err := newSession20(1, 1, a, []byte("key"))
	if err != nil {
		f.Fatal(err)
	}
	fill := func(b []byte) []byte { return appendMessage(b, Request{NetFn: 7, Cmd: 1, Data: []byte{0, 1}}, 1) }
	pkt, err := good.seal(nil, fill)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(pkt)
	old, err := seal15(nil, authMD5, 1, 1, []byte("p"), fill)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(old)
	f.Fuzz(func(t *testing.T, pkt []byte) {
		s, err := newSession20(1, 1, a, []byte("key"))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []codec{s, &session15{auth: authMD5, id: 1, password: []byte("p")}, bare{}} {
			if m, ok := c.open(bytes.Clone(pkt)); ok {
				parseMessage(m)
			}
		}
		suiteIDs(pkt)
	})
}

func TestReplayedPacketIsRefused(t *testing.T) {
	a := algorithms{auth: 1, integrity: 1, hash: sha1.New, icv: 12}
	s, err := newSession20(7, 7, a, []byte("key"))
	if err != nil {
		t.Fatal(err)
	}
	fill := func(b []byte) []byte { return appendMessage(b, Request{NetFn: 7, Cmd: 1}, 1) }
	first, err := s.seal(nil, fill)
	if err != nil {
		t.Fatal(err)
	}
	iv := bytes.Clone(first[16:32])
	var last []byte
	for range 40 {
		if last, err = s.seal(nil, fill); err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(iv, last[16:32]) {
			t.Fatal("two packets share an IV")
		}
		if _, ok := s.open(bytes.Clone(last)); !ok {
			t.Fatal("a good packet is refused")
		}
	}
	if _, ok := s.open(bytes.Clone(first)); ok {
		t.Error("a packet from far behind is taken")
	}
	last[20] ^= 1
	if _, ok := s.open(last); ok {
		t.Error("a changed packet is taken")
	}
}
