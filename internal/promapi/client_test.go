package promapi

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/config"

	"github.com/inframind/inframind/internal/series"
)

func client(t *testing.T, h http.HandlerFunc) (*Client, *[]time.Duration) {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	c, err := New(Server{URL: srv.URL})
	if err != nil {
		t.Fatal(err)
	}
	var slept []time.Duration
	c.sleep = func(_ context.Context, d time.Duration) error {
		slept = append(slept, d)
		return nil
	}
	return c, &slept
}

func collect(out *[]series.Series) func(series.Series) error {
	return func(s series.Series) error {
		*out = append(*out, s)
		return nil
	}
}

var from = time.Unix(1772323200, 0)

func TestAnswers(t *testing.T) {
	const one = `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"instance":"a"},"values":[[1772323200,"1"],[1772323260.5,"NaN"],[1772323320,"+Inf"]]}]}}`
	for _, tc := range []struct{ name, body, want string }{
		{"Prometheus", one, ""},
		{"Thanos and Mimir add members", strings.Replace(one, `"data"`, `"warnings":["partial"],"data"`, 1), ""},
		{"VictoriaMetrics adds stats and spaces", strings.Replace(one, `{"resultType"`, `{ "stats" : {"seriesFetched":"1"}, "resultType"`, 1), ""},
		{"no series", `{"status":"success","data":{"resultType":"matrix","result":[]}}`, "none"},
		{"error inside of 200", `{"status":"error","errorType":"execution","error":"too many samples"}`, "query up: too many samples"},
		{"a scalar", `{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}}`, "query up: answer: the expression gives a scalar, want series"},
		{"cut off", one[:90], "query up: answer: unexpected EOF"},
		{"not JSON", "<html>", "query up: answer: invalid character '<' looking for beginning of value"},
		{"bad sample", strings.Replace(one, `"NaN"`, `"many"`, 1), `query up: answer: want [seconds, "value"]`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, _ := client(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, tc.body) })
			var got []series.Series
			err := c.QueryRange(t.Context(), "up", from, from.Add(time.Hour), time.Minute, collect(&got))
			switch {
			case tc.want == "none":
				if err != nil || len(got) != 0 {
					t.Errorf("got %v, %v", got, err)
				}
			case tc.want != "":
				if err == nil || err.Error() != tc.want {
					t.Errorf("got %v, want %s", err, tc.want)
				}
			case err != nil || len(got) != 1:
				t.Fatalf("got %v, %v", got, err)
			default:
				s := got[0]
				if s.Labels.Get("instance") != "a" || s.Times[1] != 1772323260500 || !math.IsNaN(s.Values[1]) || !math.IsInf(s.Values[2], 1) {
					t.Errorf("got %+v", s)
				}
			}
		})
	}
}

func TestRetries(t *testing.T) {
	for _, tc := range []struct {
		name     string
		status   []int
		header   string
		attempts int
		wait     time.Duration
		ok       bool
	}{
		{"busy, then fine", []int{429, 200}, "3", 2, 3 * time.Second, true},
		{"gateway, then fine", []int{503, 502, 200}, "", 3, 0, true},
		{"for ever", []int{500, 500, 500, 500, 500}, "1", 4, time.Second, false},
		{"asks for an hour", []int{429, 200}, "3600", 2, time.Minute, true},
		{"the query is wrong", []int{400, 200}, "", 1, 0, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n := 0
			c, slept := client(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", tc.header)
				w.WriteHeader(tc.status[n])
				if tc.status[n] == 200 {
					fmt.Fprint(w, `{"status":"success","data":{"resultType":"matrix","result":[]}}`)
				} else {
					fmt.Fprint(w, `{"status":"error","errorType":"bad_data","error":"no"}`)
				}
				n++
			})
			err := c.QueryRange(t.Context(), "up", from, from, time.Minute, collect(new([]series.Series)))
			if (err == nil) != tc.ok || n != tc.attempts {
				t.Errorf("%d attempts, %v; want %d, success %v", n, err, tc.attempts, tc.ok)
			}
			if tc.wait > 0 && (*slept)[0] != tc.wait {
				t.Errorf("waited %v, want %s", *slept, tc.wait)
			}
			var e *Error
			if err != nil && (!errors.As(err, &e) || e.Query != "up" || e.Status != tc.status[n-1]) {
				t.Errorf("%v does not tell query and status", err)
			}
		})
	}
}

func TestLongRangesAreSplitAndJoined(t *testing.T) {
	requests := 0
	c, _ := client(t, func(w http.ResponseWriter, r *http.Request) {
		requests++
		var start, end float64
		if _, err := fmt.Sscan(r.FormValue("start")+" "+r.FormValue("end"), &start, &end); err != nil || (end-start)/60+1 > MaxPoints {
			http.Error(w, "exceeded maximum resolution of 11,000 points", http.StatusBadRequest)
			return
		}
		fmt.Fprintf(w, `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[%f,"1"],[%f,"2"]]}]}}`, start, end)
	})
	var got []series.Series
	err := c.QueryRange(t.Context(), "up", from, from.Add(30000*time.Minute), time.Minute, collect(&got))
	if err != nil || requests != 3 || len(got) != 1 || got[0].Len() != 6 {
		t.Fatalf("%d requests, %d series, %v", requests, len(got), err)
	}
	for i := 1; i < 6; i++ {
		if got[0].Times[i] <= got[0].Times[i-1] {
			t.Errorf("pieces overlap: %v", got[0].Times)
		}
	}
}

func TestCredentialsAreSentAndNeverShown(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if u, p, ok := r.BasicAuth(); !ok || u != "me" || p != "s3cret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"2"]}]}}`)
	}))
	defer srv.Close()
	hc := config.DefaultHTTPClientConfig
	hc.BasicAuth = &config.BasicAuth{Username: "me", Password: "s3cret"}
	c, err := New(Server{URL: srv.URL, HTTPClientConfig: &hc})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var got []series.Series
	if err := c.Query(t.Context(), "up", from, collect(&got)); err != nil || len(got) != 1 || got[0].Values[0] != 2 {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := New(Server{URL: "http://me:s3cret@localhost"}); err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("got %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[1,"1"],[2,"NaN"]]}]}}`))
	f.Add([]byte(`{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"2"]}]}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		_ = decode(strings.NewReader(string(raw)), func(s series.Series) error {
			if len(s.Times) != len(s.Values) {
				t.Fatalf("%d times, %d values", len(s.Times), len(s.Values))
			}
			return nil
		})
	})
}

func BenchmarkDecode(b *testing.B) {
	var sb strings.Builder
	sb.WriteString(`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[`)
	for i := range 8640 {
		if i > 0 {
			sb.WriteByte(',')
		}
		fmt.Fprintf(&sb, `[%d,"0.%d"]`, 1772323200+300*i, 1000000+i*37)
	}
	sb.WriteString(`]}]}}`)
	for b.Loop() {
		if err := decode(strings.NewReader(sb.String()), func(series.Series) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
