package agent

import (
	"bytes"
	"strings"
	"testing"
)

func TestReadAndWrite(t *testing.T) {
	in := strings.Join([]string{
		"1.3.6.1.2.1.1.1.0|4|a text",
		"1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.9",
		"1.3.6.1.2.1.1.3.0|67|99",
		"1.3.6.1.2.1.1.10.0|4x|00ff",
		"1.3.6.1.2.1.1.9.0|2|-5",
		"1.3.6.1.2.1.4.20.1.1.192.0.2.1|64|192.0.2.1",
		"1.3.6.1.2.1.31.1.1.1.6.1|70|18446744073709551615",
		"1.3.6.1.2.1.31.1.1.1.6.2|67:numeric|rate=1,initial=7",
		".1.3.6.1.2.1.2.2.1.8.1 = INTEGER: up(1)",
		".1.3.6.1.2.1.2.2.1.6.1 = Hex-STRING: 00 1A 2B ",
		`.1.3.6.1.2.1.2.2.1.2.1 = STRING: "eth0"`,
		"this is not a line",
	}, "\n")
	d, skipped, err := Read(strings.NewReader(in))
	if err != nil || skipped != 1 || d.Len() != 11 {
		t.Fatalf("%v, %d skipped, %v", d, skipped, err)
	}
	var out bytes.Buffer
	for _, o := range d.Objects() {
		v := o.Value()
		if err := WriteRec(&out, o.OID, o.Tag, v.Text()); err != nil {
			t.Fatal(err)
		}
	}
	want := `1.3.6.1.2.1.1.1.0|4|a text
1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.9
1.3.6.1.2.1.1.3.0|67|99
1.3.6.1.2.1.1.9.0|2|-5
1.3.6.1.2.1.1.10.0|4x|00ff
1.3.6.1.2.1.2.2.1.2.1|4|eth0
1.3.6.1.2.1.2.2.1.6.1|4x|001a2b
1.3.6.1.2.1.2.2.1.8.1|2|1
1.3.6.1.2.1.4.20.1.1.192.0.2.1|64|192.0.2.1
1.3.6.1.2.1.31.1.1.1.6.1|70|18446744073709551615
1.3.6.1.2.1.31.1.1.1.6.2|67|7
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
	again, _, err := Read(&out)
	if err != nil || again.Len() != d.Len() {
		t.Errorf("read again: %v, %v", again, err)
	}
}

func TestReadRefusesOtherFiles(t *testing.T) {
	for _, in := range []string{"", "hello\nworld\n", "1.3|4\n"} {
		if _, _, err := Read(strings.NewReader(in)); err == nil {
			t.Errorf("%q was accepted", in)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	d, err := Switch(2)
	if err != nil {
		f.Fatal(err)
	}
	s := &Server{Devices: map[string]*Device{"": d}, MaxSize: 1400}
	f.Add([]byte("0)\x02\x01\x01\x04\x06public\xa5\x1c\x02\x04\x00\x00\x00\x01\x02\x01\x00\x02\x01\x190\x0e0\x0c\x06\x08+\x06\x01\x02\x01\x01\x01\x00\x05\x00"))
	f.Fuzz(func(t *testing.T, msg []byte) {
		if out := s.Answer(msg); len(out) > 4<<10+2*len(msg) {
			t.Errorf("%d bytes answer %d", len(out), len(msg))
		}
	})
}

func FuzzRead(f *testing.F) {
	f.Add("1.3.6.1|4x|00\n1.3.6.1.2|67:numeric|initial=7\n")
	f.Add(".1.3.6.1 = Counter32: 7\n")
	f.Fuzz(func(_ *testing.T, in string) {
		d, _, err := Read(strings.NewReader(in))
		if err != nil {
			return
		}
		for i := range d.Objects() {
			d.Objects()[i].Value()
		}
	})
}
