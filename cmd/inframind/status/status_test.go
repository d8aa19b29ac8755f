package status

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
)

func TestJudge(t *testing.T) {
	some, none, zero := result{3, true}, result{}, result{0, true}
	plain, targets := spec{}, spec{total: "count(up)"}
	for _, tc := range []struct {
		name         string
		spec         spec
		value, total result
		component    State
		demo         bool
		want         State
	}{
		{"works", plain, some, none, OK, false, OK},
		{"nothing there yet", plain, none, none, OK, false, Starting},
		{"nothing found is fine on real data", plain, zero, none, OK, false, OK},
		{"nothing found in the demo is not", plain, zero, none, OK, true, Starting},
		{"component has not run yet", plain, some, none, Starting, false, Starting},
		{"component failed, old values remain", plain, some, none, Failed, false, Failed},
		{"not configured", plain, none, none, Off, true, Off},
		{"all targets up", targets, some, some, OK, true, OK},
		{"one target down", targets, some, result{4, true}, OK, false, Failed},
	} {
		if got := tc.spec.judge(tc.value, tc.total, tc.component, tc.demo); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
}

func TestQueriesParse(t *testing.T) {
	p := parser.NewParser(parser.Options{})
	for _, s := range specs {
		for _, q := range []string{s.value, s.last, s.total} {
			if _, err := p.ParseExpr(q); q != "" && err != nil {
				t.Errorf("%s: %v", s.name, err)
			}
		}
	}
}

func TestCount(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1234: "-1,234"} {
		if got := count(v); got != want {
			t.Errorf("count(%g) = %s, want %s", v, got, want)
		}
	}
}

// TestRows reads from a server that answers as Prometheus' API does.
func TestRows(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Second)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		value := ""
		switch q := r.FormValue("query"); {
		case strings.Contains(q, "timestamp"):
			value = fmt.Sprint(now.Unix())
		case strings.Contains(q, "component_state"):
			fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"state":"ok"},"value":[1,"1"]}]}}`)
			return
		default:
			value = "1"
		}
		fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,%q]}]}}`, value)
	}))
	defer srv.Close()
	r, err := NewReader(srv.URL+"/", srv.Client())
	if err != nil {
		t.Fatal(err)
	}
	rows, err := r.Rows(t.Context())
	if err != nil || len(rows) != len(specs) || Dead(rows) != nil {
		t.Fatalf("%+v, %v, %v", rows, err, Dead(rows))
	}
	if rows[0].Value != "1 of 1 targets" || !rows[0].LastSuccess.Equal(now) || rows[0].Link != srv.URL+"/query?expr=count%28up+%3D%3D+1%29" {
		t.Errorf("%+v", rows[0])
	}
	var table, raw strings.Builder
	if err := errors.Join(Print(&table, rows, now.Add(5*time.Second)), PrintJSON(&raw, rows)); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(table.String(), "targets up        ok     1 of 1 targets") || !strings.Contains(table.String(), "5 s ago") {
		t.Errorf("table:\n%s", table.String())
	}
	var back []Row
	if err := json.Unmarshal([]byte(raw.String()), &back); err != nil || len(back) != len(rows) {
		t.Errorf("JSON: %v", err)
	}
	rows[1].State, rows[2].State, rows[3].State = Failed, Off, Starting
	if err := Dead(rows); err == nil || err.Error() != "not alive: host metrics (failed), forecasts made (starting)" {
		t.Errorf("dead rows: %v", err)
	}
	if err := Broken(rows); err == nil || err.Error() != "failed: host metrics (failed)" {
		t.Errorf("broken rows: %v", err)
	}
}
