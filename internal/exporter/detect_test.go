package exporter

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// kinds is a Classifier: a target's class is in the table.
type kinds struct {
	thermometer
	mu      sync.Mutex
	class   map[string]string
	looks   int
	flying  atomic.Int32
	highest atomic.Int32
}

func (k *kinds) Classes() []string { return []string{"dell", "hpe", "other"} }

func (k *kinds) Classify(ctx context.Context, target, _ string) (string, error) {
	n := k.flying.Add(1)
	defer k.flying.Add(-1)
	k.highest.Store(max(k.highest.Load(), n))
	k.mu.Lock()
	class := k.class[target]
	k.looks++
	k.mu.Unlock()
	if class == "" {
		select { // silent, as an address without a device is
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
		return "", errors.New("nothing there")
	}
	return class, nil
}

// TestDetection sweeps a network: found targets come with the module of their class, a
// silent one stays for a while, a new one comes.
func TestDetection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &kinds{class: map[string]string{"10.0.0.1": "dell", "10.0.0.9": "hpe", "10.0.0.20": "dell", "10.0.0.30": "other"}}
		conf := Config{Discovery: []Group{{
			Targets: []string{"10.0.0.0/24"}, Module: "plain", Labels: map[string]string{"rack": "r1"},
			Detect: &Detect{Concurrency: 16, Classes: map[string]ClassRule{
				"dell": {Module: "idrac", Auth: "racks", Labels: map[string]string{"vendor": "dell"}}, "other": {Ignore: true},
			}},
		}}}
		if err := conf.Validate(); err != nil {
			t.Fatal(err)
		}
		g := &generation{conf: conf, driver: k, flights: newFlights(conf.Limits)}
		defer g.close(slog.New(slog.DiscardHandler))
		look := func() (map[string]string, bool) {
			groups, _, ready := g.offered(slog.New(slog.DiscardHandler))
			out := map[string]string{}
			for _, grp := range groups {
				for _, target := range grp.Targets {
					l := grp.Labels
					out[target] = strings.Join([]string{l["__meta_class"], l["__param_module"], l["__param_auth"], l["vendor"], l["rack"]}, "/")
				}
			}
			return out, ready
		}
		if _, ready := look(); ready {
			t.Error("ready before anything was looked at")
		}
		time.Sleep(time.Minute)
		got, ready := look()
		want := map[string]string{"10.0.0.1": "dell/idrac/racks/dell/r1", "10.0.0.20": "dell/idrac/racks/dell/r1", "10.0.0.9": "hpe/plain///r1"}
		if !ready || len(got) != 3 || got["10.0.0.1"] != want["10.0.0.1"] || got["10.0.0.9"] != want["10.0.0.9"] || got["10.0.0.20"] != want["10.0.0.20"] {
			t.Errorf("ready %t, got %v, want %v", ready, got, want)
		}
		if k.looks != 254 || k.highest.Load() != 16 {
			t.Errorf("%d looks, %d at a time; want 254 and 16", k.looks, k.highest.Load())
		}
		k.mu.Lock()
		delete(k.class, "10.0.0.1")
		k.class["10.0.0.77"] = "hpe"
		k.mu.Unlock()
		time.Sleep(detectEvery + time.Minute)
		if got, _ := look(); len(got) != 4 || got["10.0.0.1"] == "" || got["10.0.0.77"] == "" {
			t.Errorf("after one more sweep %v", got)
		}
		time.Sleep(detectForget + detectEvery)
		if got, _ := look(); len(got) != 3 || got["10.0.0.1"] != "" {
			t.Errorf("a day later %v", got)
		}
	})
}

func TestDetectionIsChecked(t *testing.T) {
	var c Config
	c.Discovery = []Group{{Targets: []string{"h"}, Detect: &Detect{Classes: map[string]ClassRule{"sun": {}}}}}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	if err := checkDriver(c, &kinds{}); err == nil || !strings.Contains(err.Error(), `unknown class "sun"; known: dell, hpe, other`) {
		t.Errorf("%v", err)
	}
	if err := checkDriver(c, &thermometer{}); err == nil || !strings.Contains(err.Error(), "cannot tell classes apart") {
		t.Errorf("%v", err)
	}
	for _, bad := range []Group{
		{Class: "x", Targets: []string{"h"}, Detect: &Detect{}},
		{Targets: []string{"h"}, Detect: &Detect{Concurrency: 1000}},
		{Targets: []string{"h"}, Detect: &Detect{Every: 1}},
		{Targets: []string{"h"}, Detect: &Detect{Classes: map[string]ClassRule{"dell": {Labels: map[string]string{"a-b": ""}}}}},
	} {
		if err := (&Config{Discovery: []Group{bad}}).Validate(); err == nil {
			t.Errorf("%+v is accepted", bad.Detect)
		}
	}
}

// TestDiscoverWaitsForDetection: until all is known the answer is an error, at which
// Prometheus keeps its targets; afterwards it can be asked for by class.
func TestDiscoverWaitsForDetection(t *testing.T) {
	k := &kinds{class: map[string]string{"a": "dell", "b": "hpe"}}
	s := &server{log: slog.New(slog.DiscardHandler)}
	conf := Config{Discovery: []Group{{Targets: []string{"a", "b"}, Detect: &Detect{}}}}
	if err := conf.Validate(); err != nil {
		t.Fatal(err)
	}
	s.current = &generation{conf: conf, driver: k, flights: newFlights(conf.Limits)}
	defer s.close()
	srv := httptest.NewServer(http.HandlerFunc(s.discover))
	defer srv.Close()
	web := srv.URL
	waitFor(t, func() bool { code, _ := get(t, web+"?class=dell", ""); return code == http.StatusOK })
	if _, body := get(t, web+"?class=dell", ""); strings.TrimSpace(body) != `[{"targets":["a"],"labels":{"__meta_class":"dell"}}]` {
		t.Error(body)
	}
	if code, body := get(t, web+"?class=x", ""); code != 400 || !strings.Contains(body, "dell, hpe, other") {
		t.Errorf("%d %s", code, body)
	}
}
