package zeek

import (
	"context"
	"testing"

	"github.com/inframind/inframind/internal/testdata"
)

func TestScanRecordings(t *testing.T) {
	for _, tc := range []struct {
		dir       string
		rows, bad int
	}{
		{"zeek/stratosphere/008-zeek-mixed", 5663, 0},
		{"zeek/stratosphere/002-zeek-scenario-port-scanning", 4504, 0},
		{"zeek/stratosphere/001-zeek-scenario-malicious", 992, 0},
		{"zeek/rita_json_with_all_fields", 29, 0},
		{"zeek/rita_text_file", 0, 1},
		{"zeek/zat", 363, 0},
		{"zeek/rita_proxy_rolling", 7550, 0},
	} {
		t.Run(tc.dir, func(t *testing.T) {
			dir := testdata.Dir(t, tc.dir)
			rows, bad := 0, 0
			_, err := Scanner{Dir: dir, Final: true}.Scan(context.Background(), KindConn, nil, Handler{
				Conn: func(*Conn, Origin) error { rows++; return nil },
				Bad:  func(o Origin, _ []byte, err error) error { bad++; t.Log(o, err); return nil },
			})
			if err != nil {
				t.Fatal(err)
			}
			if rows != tc.rows || bad != tc.bad {
				t.Errorf("%d rows and %d bad, want %d and %d", rows, bad, tc.rows, tc.bad)
			}
		})
	}
}
