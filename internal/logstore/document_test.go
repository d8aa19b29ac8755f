package logstore

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Documents of other writers nest their fields; ours do not.
func TestDecodeFields(t *testing.T) {
	got, err := DecodeFields([]byte(`{"host":{"name":"a","ip":["1","2"]},"host.os":"x","n":1,"big":9007199254740993,"f":1.5,"huge":1e999,"b":true,"none":null,"objs":[{"a":1}],"mixed":[1,"x",null]}`))
	want := map[string]any{"host.name": "a", "host.ip": []any{"1", "2"}, "host.os": "x", "n": int64(1), "big": int64(9007199254740993), "f": 1.5, "b": true}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("err %v (-want +got):\n%s", err, diff)
	}
}

// What DecodeFields gives, Clean accepts and JSON carries unchanged, as long as the names are
// ones that we may write.
func FuzzDecodeFields(f *testing.F) {
	f.Add(`{"a":{"b":[1,2.5,"x",true]}}`)
	f.Add(`{"a":-0.0,"b":1e300}`)
	f.Fuzz(func(t *testing.T, in string) {
		fields, err := DecodeFields([]byte(in))
		if err != nil || len(fields) > MaxFields {
			return
		}
		for name := range fields {
			if CheckField(name) != nil {
				delete(fields, name)
			}
		}
		d, err := Document{ID: "x", Time: time.Unix(1e9, 0), Fields: fields}.Clean()
		if err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(d.Fields)
		if err != nil {
			t.Fatal(err)
		}
		again, err := DecodeFields(raw)
		if err != nil || !cmp.Equal(fields, again) {
			t.Errorf("%v, then %v, %v", fields, again, err)
		}
	})
}
