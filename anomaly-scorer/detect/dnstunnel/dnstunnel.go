// Package dnstunnel finds data carried in DNS queries: one source that asks for many
// different, long, random-looking names below one domain.
package dnstunnel

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"

	"github.com/inframind/inframind/anomaly-scorer/detect"
	"github.com/inframind/inframind/anomaly-scorer/evidence"
	"github.com/inframind/inframind/internal/zeek"
)

// Options are the thresholds, per source and domain in a day. The zero value takes the
// defaults in brackets.
type Options struct {
	MinNames    int     `yaml:"min_names"`    // distinct names of 30 characters; more of shorter ones [50]
	MinLength   float64 `yaml:"min_length"`   // mean length of what stands before the domain [10]
	MinDistinct float64 `yaml:"min_distinct"` // distinct names per query [0.4]
	MinInfo     float64 `yaml:"min_info"`     // bytes of entropy in all distinct names [1,000]
}

func (o Options) withDefaults() Options {
	if o.MinNames <= 0 {
		o.MinNames = 50
	}
	for p, v := range map[*float64]float64{&o.MinLength: 10, &o.MinDistinct: .4, &o.MinInfo: 1000} {
		if *p <= 0 {
			*p = v
		}
	}
	return o
}

const (
	// usualLength is the length of name that MinNames is about: a tunnel that carries
	// less in a name needs more of them.
	usualLength = 30
	// fewest is how many names are needed however long they are.
	fewest = 20
	// Names shorter than short must be random from the beginning: web-1, web-2, ... are
	// many, too.
	short      = 24
	beginning  = 6
	randomness = 0.8 // distinct beginnings per distinct name
)

// Talk is what one source asked of one domain today.
type Talk struct {
	Start           int64
	Queries, NX     int
	Names           detect.Set
	Starts          detect.Set // distinct beginnings of names
	Length, Entropy float64    // sums over distinct names; Entropy in bytes
}

// State is what the detector remembers.
type State struct {
	Talks detect.Cache[uint64, Talk]
	Book  detect.Book
}

// Detector implements detect.Detector.
type Detector struct {
	o Options
	s State
}

// New makes a Detector. maxEntries bounds the pairs of source and domain it remembers.
func New(o Options, maxEntries int) *Detector {
	return &Detector{o: o.withDefaults(), s: State{Talks: detect.NewCache[uint64, Talk](maxEntries), Book: detect.NewBook("dns_tunnel")}}
}

// Name implements detect.Detector.
func (d *Detector) Name() string { return "dns_tunnel" }

// Book implements detect.Detector.
func (d *Detector) Book() *detect.Book { return &d.s.Book }

// State implements detect.Detector.
func (d *Detector) State() any { return &d.s }

// Observe implements detect.Detector.
func (d *Detector) Observe(e *detect.Event) float64 {
	a := e.App
	if a == nil || e.Kind != zeek.KindDNS {
		return 0
	}
	sub, domain := split(a.Name)
	if sub == "" || reversed(sub) {
		return 0
	}
	t := d.s.Talks.At(evidence.Mix(evidence.Hash(a.Orig), hash(domain)))
	if t.Start == 0 || time.Duration(a.Time-t.Start) > 24*time.Hour {
		*t = Talk{Start: a.Time}
	}
	t.Queries++
	if a.Code == "NXDOMAIN" {
		t.NX++
	}
	if t.Names.Add(hash(sub)) {
		t.Length += float64(len(sub))
		t.Entropy += float64(len(sub)) * entropy(sub) / 8
		t.Starts.Add(hash(sub[:min(len(sub), beginning)]))
	}
	if !d.over(t) {
		return 0
	}
	d.tell(e, t, domain)
	return .9
}

func (d *Detector) over(t *Talk) bool {
	n := float64(t.Names.Len())
	length := t.Length / max(n, 1)
	need := max(fewest, float64(d.o.MinNames)*usualLength/max(length, 1))
	random := length >= short || float64(t.Starts.Len()) >= randomness*n
	return n >= need && random && length >= d.o.MinLength && n/float64(t.Queries) >= d.o.MinDistinct && t.Entropy >= d.o.MinInfo
}

func (d *Detector) tell(e *detect.Event, t *Talk, domain string) {
	a := e.App
	f := d.s.Book.Finding("dns tunnel", a.Orig.String()+"/"+domain, t.Start)
	f.Add(e)
	f.Source, f.Destination, f.Service, f.Score, f.Severity = a.Orig.String(), domain, "dns", .9, detect.High
	n := t.Names.Len()
	f.Describe(fmt.Sprintf("%s asked for %d names below %s", a.Orig, n, domain), []string{
		fmt.Sprintf("%d different names in %d queries, %.0f characters on average, holding about %s", n, t.Queries, t.Length/float64(n), detect.Bytes(math.Round(t.Entropy))),
		fmt.Sprintf("%d %% of the queries were for names that do not exist", 100*t.NX/t.Queries),
	}, "names", fmt.Sprint(n), "queries", fmt.Sprint(t.Queries), "entropy_bytes", fmt.Sprintf("%.0f", t.Entropy))
}

// split separates a query into the registered domain and what stands before it. Reverse
// and local names have no registered domain and give nothing.
func split(name string) (sub, domain string) {
	name = strings.ToLower(strings.Trim(name, "."))
	if strings.HasSuffix(name, ".arpa") || strings.HasSuffix(name, ".local") || !strings.Contains(name, ".") {
		return "", ""
	}
	domain, err := publicsuffix.EffectiveTLDPlusOne(name)
	if err != nil {
		return "", ""
	}
	return strings.TrimSuffix(strings.TrimSuffix(name, domain), "."), domain
}

// reversed tells whether a name begins with a reversed address, as those of block lists do:
// with four labels of at most three characters.
func reversed(sub string) bool {
	labels := strings.SplitN(sub, ".", 5)
	return len(labels) >= 4 && !slices.ContainsFunc(labels[:4], func(l string) bool { return len(l) > 3 })
}

// entropy of the characters of s, in bits a character.
func entropy(s string) float64 {
	var n [256]int
	for i := range len(s) {
		n[s[i]]++
	}
	h := 0.0
	for _, c := range n {
		if c > 0 {
			p := float64(c) / float64(len(s))
			h -= p * math.Log2(p)
		}
	}
	return h
}

func hash(s string) uint64 {
	h := uint64(len(s))
	for i := range len(s) {
		h = evidence.Mix(h, uint64(s[i]))
	}
	return h
}
