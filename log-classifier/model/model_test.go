package model

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/inframind/inframind/log-classifier/label"
)

func rows() []Row {
	var out []Row
	for _, e := range []label.Example{
		{Category: label.Critical, System: "a", Message: "kernel panic, machine halted"},
		{Category: label.Critical, System: "b", Message: "disk failed, data lost on volume 3"},
		{Category: label.Critical, System: "c", Message: "kernel panic after disk failed"},
		{Category: label.Warning, System: "a", Message: "retry after timeout of peer 4"},
		{Category: label.Warning, System: "b", Message: "timeout, will retry request 12"},
		{Category: label.Warning, System: "c", Message: "slow request, timeout near"},
		{Category: label.Informational, System: "a", Message: "service started on port 80"},
		{Category: label.Informational, System: "b", Message: "session opened for user bob, service started"},
		{Category: label.Informational, System: "c", Message: "session opened on port 22"},
		{Category: label.Noise, System: "a", Message: "tick 12 cache size 4411"},
		{Category: label.Noise, System: "b", Message: "cache hit 12 size 99"},
		{Category: label.Noise, System: "c", Message: "tick 13 buffer size 1"},
	} {
		out = append(out, Row{Example: e})
	}
	return out
}

func trained() *Model {
	p := DefaultParams()
	p.Calibration = 3
	return Train(rows(), p)
}

func TestTrainLearnsItsExamples(t *testing.T) {
	p := NewPredictor(trained())
	for _, r := range rows() {
		x := p.Predict(r.Message)
		if x.Category != r.Category {
			t.Errorf("%q: %s, want %s", r.Message, x.Category, r.Category)
		}
		sum := 0.0
		for _, v := range x.Probability {
			sum += v
		}
		if math.Abs(sum-1) > 1e-9 || x.Confidence != x.Probability[x.Category] {
			t.Errorf("%q: probabilities %v, confidence %v", r.Message, x.Probability, x.Confidence)
		}
	}
}

func TestPredictAll(t *testing.T) {
	p := NewPredictor(trained())
	lines := []string{"disk failed, data lost on volume 3", "tick 12", "disk failed, data lost on volume 77", "", "tick 13"}
	for i, got := range p.PredictAll(lines) {
		if want := p.Predict(lines[i]); got != want {
			t.Errorf("%q: %+v, alone %+v", lines[i], got, want)
		}
	}
}

func TestRarity(t *testing.T) {
	if rare, common, always := rarity(1, 1000), rarity(500, 1000), rarity(1000, 1000); rare > 1 || common > rare/2 || always > common || always <= 0 {
		t.Errorf("in 1, 500 and all of 1000 rows: %v, %v, %v", rare, common, always)
	}
}

func TestFileKeepsPredictions(t *testing.T) {
	m := trained()
	m.Name, m.Metrics = "v1", map[string]float64{"macro_f1": 0.5}
	raw, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	if again.Name != "v1" || again.Metrics["macro_f1"] != 0.5 || again.Rows != m.Rows {
		t.Errorf("header %+v", again)
	}
	a, b := NewPredictor(m), NewPredictor(again)
	for _, r := range rows() {
		if x, y := a.Predict(r.Message), b.Predict(r.Message); x.Category != y.Category || math.Abs(x.Confidence-y.Confidence) > 1e-3 {
			t.Errorf("%q: %v, from the file %v", r.Message, x, y)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	raw, err := trained().Encode()
	if err != nil {
		t.Fatal(err)
	}
	changed := []byte(string(raw))
	changed[len(changed)-1] ^= 1
	other := []byte(string(raw))
	other[len(magic)-1]++
	for want, in := range map[string][]byte{
		"does not start": []byte("PNG"),
		"cut short":      raw[:len(raw)/2],
		"checksum":       changed,
		"reads form 4":   other,
	} {
		if _, err := Decode(in); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestMix(t *testing.T) {
	quiet := [label.Count]float64{0.1, 0.2, 0.3, 0.4}
	if got := EvenMix().Apply(quiet); math.Abs(got[0]-0.1) > 1e-12 {
		t.Errorf("the even mix changed %v to %v", quiet, got)
	}
	if got := (Mix{}).Apply(quiet); got[0] != 0 || math.IsNaN(got[1]) {
		t.Errorf("an empty mix gives %v", got)
	}
}

// TestSite learns from a noisy program and a program that fails, where levels mean less than
// elsewhere: the noisy one writes at level error.
func TestSite(t *testing.T) {
	quiet := [label.Count]float64{0.02, 0.08, 0.3, 0.6}
	bad := [label.Count]float64{0.1, 0.6, 0.2, 0.1}
	var seen []Seen
	for range 500 {
		seen = append(seen, Seen{quiet, levelError, "chatty"}, Seen{bad, levelWarn, "sick"})
	}
	s := LearnSite(seen)
	unsure := Prediction{Probability: [label.Count]float64{0.15, 0.3, 0.25, 0.3}}
	in := func(e Evidence, service string) [label.Count]float64 {
		return s.Predict(unsure, e, service).Probability
	}
	chatty, sick, other := in(0, "chatty"), in(0, "sick"), in(0, "other")
	if chatty[label.Noise] <= other[label.Noise] || other[label.Noise] <= sick[label.Noise] {
		t.Errorf("noise: %.2f in the chatty service, %.2f in another, %.2f in the sick one", chatty[label.Noise], other[label.Noise], sick[label.Noise])
	}
	ratio := func(p [label.Count]float64) float64 { return p[label.Critical] / p[label.Warning] }
	if math.Abs(ratio(chatty)-ratio(sick)) > 0.2 {
		t.Errorf("critical against warning: %.2f and %.2f, though services are not asked about it", ratio(chatty), ratio(sick))
	}
	if warn, err := in(levelWarn, "other"), in(levelError, "other"); err[label.Warning] >= warn[label.Warning] {
		t.Errorf("level error gives warning %.2f, level warning %.2f, on a site that writes errors over noise", err[label.Warning], warn[label.Warning])
	}
	for _, e := range []Evidence{0, levelError, statusServer, evidences} {
		sum := 0.0
		for _, v := range in(e, "sick") {
			sum += v
		}
		if math.Abs(sum-1) > 1e-9 {
			t.Errorf("evidence %d: probabilities sum to %v", e, sum)
		}
	}
}

// TestLoneSite: a line that comes alone is judged by its words and level, critical first.
func TestLoneSite(t *testing.T) {
	p := Prediction{Probability: [label.Count]float64{0.3, 0.4, 0.2, 0.1}}
	got := LoneSite().Predict(p, levelError, "any")
	if want := p.Remix(likelihood[levelError]).Remix(LoneMix()); math.Abs(got.Probability[0]-want.Probability[0]) > 1e-9 || got.Category != label.Critical {
		t.Errorf("%v, want %v", got, want)
	}
	if got := LearnSite(nil).Predict(p, 0, ""); math.Abs(got.Probability[1]-0.4) > 1e-9 {
		t.Errorf("a site without templates turns %v into %v", p.Probability, got.Probability)
	}
}

func TestReasonsNameTheDecidingWords(t *testing.T) {
	e := NewExplainer(trained())
	got := strings.Join(e.Reasons([]byte("kernel panic on node <num>"), label.Critical), "; ")
	if !strings.Contains(got, "panic") || !strings.Contains(got, "like 43 %: kernel panic, machine halted (critical), with others +") {
		t.Error(got)
	}
}

func TestEvidence(t *testing.T) {
	for want, lines := range map[Evidence][]struct{ level, message string }{
		0:            {{"", "plain"}, {"odd", ""}, {"", `"GET / HTTP/1.1" 50`}, {"", "speaks HTTP/2"}},
		levelDebug:   {{"trace", ""}},
		levelInfo:    {{"Info", ""}, {"notice", ""}},
		levelWarn:    {{"W", ""}},
		levelError:   {{"err", ""}},
		levelFatal:   {{"EMERG", ""}},
		statusGood:   {{"", `1.2.3.4 - - "GET / HTTP/1.1" 200 12`}},
		statusClient: {{"", `"GET /x HTTP/2.0" 404`}},
		statusServer: {{"", `"POST /x HTTP/1.1" 502 157 "-"`}},
	} {
		for _, l := range lines {
			if got := EvidenceOf(l.level, l.message); got != want {
				t.Errorf("%+v: %d, want %d", l, got, want)
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	raw, err := trained().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := Decode(b); err == nil {
			NewPredictor(m).Predict("disk failed")
		} else if !errors.Is(err, ErrFormat) {
			t.Error(err)
		}
	})
}
