package classify

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/inframind/inframind/log-classifier/corpus"
	"github.com/inframind/inframind/log-classifier/label"
	"github.com/inframind/inframind/log-classifier/logline"
	"github.com/inframind/inframind/log-classifier/mine"
)

// TestServicesHaveMixesOfTheirOwn: the same words are noise rather in a program that dumps
// than in one that fails, and a restart does not forget that.
func TestServicesHaveMixesOfTheirOwn(t *testing.T) {
	m, err := corpus.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	miner := mine.New(mine.Options{})
	l := NewLabeler(m, miner, nil)
	say := func(service string, messages ...string) {
		for _, msg := range messages {
			x := logline.Line{Message: msg, Service: service, Level: "INFO"}
			v, _ := l.Label(&x, service)
			v.Template.Seen(time.Unix(0, 0), mine.Origin{Service: service, Level: x.Level}, x.Message)
		}
	}
	say("dumper", "getBuf() ptr=0x1f len=4096 flags=0 idx=3", "enter readLoop", "regs: r0=00 r1=fe r2=10 r3=00", "cacheTable hash=77 entries=12 order=3",
		"callback onTick() fired seq=9", "mViewState=2 mFrame=(0,0,12,4)", "poll: 0 events", "-> slotFor(key=12) = 7")
	say("sick", "Failed to write part: connection refused by peer", "Request timed out after 30 s, retrying", "Cannot open /data/x: permission denied",
		"Login of user bob rejected: wrong password", "Replica is lagging behind by 900 s", "Certificate expired, connection closed", "Dropped 12 messages: queue is full", "Upload aborted: checksum mismatch")
	check := func(when string, l *Labeler) {
		t.Helper()
		x := logline.Line{Message: "slot state queue pending update"}
		at := func(service string) float64 {
			v, _ := l.Label(&x, service)
			return v.Probability[label.Noise]
		}
		if dumper, sick, other := at("dumper"), at("sick"), at("other"); dumper <= other || other <= sick {
			t.Errorf("%s: noise with %.3f in the program that dumps, %.3f in another, %.3f in the one that fails", when, dumper, other, sick)
		}
	}
	check("before", l)
	saved, err := json.Marshal(miner.State())
	if err != nil {
		t.Fatal(err)
	}
	var st mine.State
	if err := json.Unmarshal(saved, &st); err != nil {
		t.Fatal(err)
	}
	if miner, err = mine.Restore(st, mine.Options{}); err != nil {
		t.Fatal(err)
	}
	check("after a restart", NewLabeler(m, miner, nil))
}
