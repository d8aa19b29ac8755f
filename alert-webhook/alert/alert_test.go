package alert

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func golden(t testing.TB) []byte {
	t.Helper()
	raw, err := os.ReadFile("testdata/alertmanager-v4.json")
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestParse(t *testing.T) {
	g, err := Parse(golden(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(g.Alerts) != 2 || g.Alerts[0].Episode() != "3a1c9f4e5b6d7081@2026-11-20T08:15:02.433Z" || !g.Alerts[0].EndsAt.IsZero() || g.Alerts[1].EndsAt.IsZero() {
		t.Errorf("got %+v", g)
	}
	if want := "[FIRING:1] DiskWillFill"; g.Title() != want {
		t.Errorf("title %q, want %q", g.Title(), want)
	}
}

func TestParseErrorsSayWhere(t *testing.T) {
	for _, tc := range []struct{ old, new, want string }{
		{`"version": "4"`, `"version": "3"`, `version is "3", want "4"`},
		{`"status": "resolved",`, `"status": "gone",`, `alerts[1]: status is "gone", want firing or resolved`},
		{`"startsAt": "2026-11-20T08:15:02.433Z"`, `"startsAt": "yesterday"`, "not JSON: parsing time"},
		{`"startsAt": "2026-11-20T08:15:02.433Z",`, ``, "alerts[0]: startsAt is missing"},
		{`"mountpoint": "/var", "severity": "critical"},`, `"mountpoint": 7},`, "is a JSON number, want string"},
		{`"fingerprint": "3a1c9f4e5b6d7081"`, `"fingerprint": "` + strings.Repeat("f", 65) + `"`, "alerts[0]: fingerprint is longer"},
		{`/var on db-1`, strings.Repeat("x", maxText+1), "alerts[0]: annotations: summary has"},
		{`"alerts": [`, `"alerts": [`, ""},
		{`"truncatedAlerts": 0`, `"truncatedAlerts": 0, "newInLaterVersions": {}`, ""},
	} {
		_, err := Parse([]byte(strings.Replace(string(golden(t)), tc.old, tc.new, 1)))
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%.40s: got %v, want %q", tc.new, err, tc.want)
		}
	}
	for in, want := range map[string]string{
		"":                            "the body is empty",
		"{":                           "not JSON: unexpected EOF",
		"[]":                          "is a JSON array",
		"{} {}":                       "there is more after",
		"{]":                          "not JSON at byte 2",
		`{"version":"4","alerts":[]}`: "alerts is empty",
	} {
		if _, err := Parse([]byte(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", in, err, want)
		}
	}
}

func TestFingerprintIsFilledIn(t *testing.T) {
	with := strings.Replace(string(golden(t)), `"fingerprint": "3a1c9f4e5b6d7081"`, `"fingerprint": ""`, 1)
	g, err := Parse([]byte(with))
	if err != nil || len(g.Alerts[0].Fingerprint) != 16 {
		t.Fatalf("%q, %v", g.Alerts[0].Fingerprint, err)
	}
}

func TestSelect(t *testing.T) {
	g, err := Parse(golden(t))
	if err != nil {
		t.Fatal(err)
	}
	one := g.Select(g.Alerts[1:])
	if one.Status != Resolved || one.CommonLabels["instance"] != "db-2:9100" || one.Title() != "[RESOLVED:1] DiskWillFill" {
		t.Errorf("one: %+v", one)
	}
	two := g.Select(g.Alerts)
	if diff := cmp.Diff(g.CommonLabels, two.CommonLabels); diff != "" || two.Status != Firing {
		t.Errorf("two (-want +got):\n%s", diff)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(golden(f))
	f.Add([]byte(`{"version":"4","alerts":[{"status":"firing","labels":{"a":"b"},"startsAt":"2026-01-01T00:00:00Z"}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		g, err := Parse(raw)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error of several lines: %q", err)
			}
			return
		}
		again, err := json.Marshal(g)
		if err != nil {
			t.Fatal(err)
		}
		h, err := Parse(again)
		if err != nil {
			t.Fatalf("what was accepted is not accepted again: %v", err)
		}
		if diff := cmp.Diff(g, h, cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })); diff != "" {
			t.Errorf("not the same again:\n%s", diff)
		}
		_ = g.Title()
	})
}
