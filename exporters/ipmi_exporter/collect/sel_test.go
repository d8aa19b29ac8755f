package collect

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/inframind/inframind/exporters/ipmi_exporter/ipmi"
	"github.com/inframind/inframind/exporters/ipmi_exporter/ipmitest"
	"github.com/inframind/inframind/internal/logstore"
)

// memory is a log store that can fail.
type memory struct {
	docs []logstore.Document
	err  error
}

func (m *memory) Write(ctx context.Context, _ string, docs []logstore.Document) ([]logstore.Rejected, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if m.err == nil {
		m.docs = append(m.docs, docs...)
	}
	return nil, m.err
}

func selRecord(id uint16, stamp uint32, state byte) (r [16]byte) {
	binary.LittleEndian.PutUint16(r[:], id)
	r[2] = 2
	binary.LittleEndian.PutUint32(r[3:], stamp)
	copy(r[7:], []byte{0x20, 0, 4, 0x08, 0x61, 0x6f, state, 0xff, 0xff})
	return r
}

func TestEventLog(t *testing.T) {
	const epoch = 0x60000000
	b := oddBMC()
	b.SEL = [][16]byte{selRecord(1, epoch, 0), selRecord(2, epoch+1, 1)}
	addr := b.Start(t)
	conf := Config{StateDirectory: t.TempDir()}
	sink := &memory{err: errors.New("store is down")}
	d := newDriver(t, conf, sink)
	text := mustProbe(t, d, addr)
	want(t, text, `collector_success{collector="sel"} 0`, "ipmi_sel_entries 2")
	if strings.Contains(text, "ipmi_sel_events_total{") {
		t.Error("entries were counted that are not written")
	}
	sink.err = nil
	want(t, mustProbe(t, d, addr), `collector_success{collector="sel"} 1`, `ipmi_sel_events_total{class="power_supply",severity="failed"} 1`, `ipmi_sel_events_total{class="power_supply",severity="info"} 1`)
	mustProbe(t, d, addr)
	b.Lock(func() { b.SEL = append(b.SEL, selRecord(3, epoch+2, 3)) })
	d = newDriver(t, conf, sink) // after a restart
	want(t, mustProbe(t, d, addr), `ipmi_sel_events_total{class="power_supply",severity="failed"} 2`)
	b.Lock(func() { b.SEL = append(b.SEL[2:], selRecord(4, epoch+3, 2)) }) // the log has wrapped past our cursor
	want(t, mustProbe(t, d, addr), `ipmi_sel_events_total{class="power_supply",severity="predicted_failure"} 1`, `ipmi_sel_events_total{class="power_supply",severity="failed"} 2`)
	if len(sink.docs) != 4 {
		t.Fatalf("%d documents, want 4: %+v", len(sink.docs), sink.docs)
	}
	ids := map[string]bool{}
	for _, doc := range sink.docs {
		ids[doc.ID] = true
		if _, err := doc.Clean(); err != nil {
			t.Error(err)
		}
	}
	last := sink.docs[3]
	if len(ids) != 4 || !last.Time.Equal(time.Unix(epoch+3, 0)) || last.Message != "power supply #0x61: predictive failure asserted" || last.Fields["log.level"] != "warn" {
		t.Errorf("%+v", last)
	}
}

// TestEventsWithoutTime get the time of reading, and one id however often they are read.
func TestEventsWithoutTime(t *testing.T) {
	b := oddBMC()
	b.SEL = [][16]byte{selRecord(1, 5, 1), selRecord(2, 0xffffffff, 1)}
	b.SELState = ipmitest.SELState{Erased: 7, Flags: 0x80}
	addr := b.Start(t)
	ids := map[string]bool{}
	for range 2 { // the second time without the state of the first
		store := &memory{}
		want(t, mustProbe(t, newDriver(t, Config{}, store), addr), "ipmi_sel_overflow 1", "ipmi_sel_entries 2")
		for _, doc := range store.docs {
			ids[doc.ID] = true
			if age := time.Since(doc.Time); age < 0 || age > time.Minute {
				t.Errorf("%s is %v old", doc.Message, age)
			}
		}
	}
	if len(ids) != 2 {
		t.Errorf("%d ids, want 2", len(ids))
	}
}

// TestLocalEvents are those of this machine, not of "local", which every machine has.
func TestLocalEvents(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Skip(err)
	}
	b := oddBMC()
	b.SEL = [][16]byte{selRecord(1, 0x60000000, 1)}
	conn, err := ipmi.Dial(t.Context(), b.Start(t), ipmi.Options{User: ipmitest.User, Password: []byte(ipmitest.Password)})
	if err != nil {
		t.Fatal(err)
	}
	store := &memory{}
	scrapeConn(t, newDriver(t, Config{}, store), LocalTarget, conn)
	if len(store.docs) != 1 || store.docs[0].Fields["host.name"] != host {
		t.Errorf("%+v", store.docs)
	}
}

// TestSlowEventLog is read over several scrapes, each entry once.
func TestSlowEventLog(t *testing.T) {
	b := oddBMC()
	for n := range uint16(40) {
		b.SEL = append(b.SEL, selRecord(n+1, 0x60000000+uint32(n), 1))
	}
	p := ipmitest.NewProxy(t, b.Start(t))
	p.Delay(20 * time.Millisecond)
	sink := &memory{}
	d := newDriver(t, Config{Modules: map[string]*Module{"default": {CipherSuite: 17, Collectors: []string{colSEL}}}}, sink)
	scrapes := 0
	for len(sink.docs) < 40 && scrapes < 30 {
		if _, err := probe(t, d, p.Addr, 500*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		scrapes++
	}
	ids := map[string]bool{}
	for _, doc := range sink.docs {
		ids[doc.ID] = true
	}
	if len(sink.docs) != 40 || len(ids) != 40 || scrapes < 2 {
		t.Errorf("%d documents, %d ids, %d scrapes", len(sink.docs), len(ids), scrapes)
	}
}
