package mine

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inframind/inframind/log-classifier/token"
)

var start = time.Date(2026, 11, 21, 14, 2, 0, 0, time.UTC)

func feed(m *Miner, lines ...string) (ids []string) {
	mask := token.NewMasker()
	for i, l := range lines {
		t, _ := m.Find(mask.Mask(l))
		t.Seen(start.Add(time.Duration(i)*time.Second), Origin{Host: "db-03"}, l)
		ids = append(ids, t.ID)
	}
	return ids
}

func TestSameKindSameTemplate(t *testing.T) {
	for _, group := range [][]string{
		{"Failed password for root from 10.0.0.1 port 22 ssh2", "Failed password for root from 10.9.9.9 port 4411 ssh2"},
		{"closed, 812 bytes sent, lifetime 00:12", "closed, 91234 bytes (89.1 KB) sent, lifetime <1 sec"},
		{"connection from 1.2.3.4 () at Sun Jul 10 03:55:15 2005", "connection from 1.2.3.4 (a.example.com) at Mon Jul 11 13:55:15 2005"},
		{"container_1445_01_000002 done", "container_1446_02_000013 done"},
		{"session opened for user alice by (uid=0)", "session opened for user bob by (uid=0)"},
		{"free blocks 10, 20, 30", "free blocks 10"},
		{"cannot open /a/b: No such file or directory", "cannot open /a/c: permission denied", "cannot open /d: Too many open files"},
		{"read 3 failed (104: Connection reset by peer), client 1.2.3.4", "read 4 failed (110: Connection timed out), client 1.2.3.5"},
		{`"Probe is on" state="up" pod="a"`, `"Probe is on" state="down" pod="b"`, `"Probe is on" state="up" pod="b"`},
		{"granted to account: Sales, token on disk: Yes", "granted to account: dev, token on disk: No"},
		{`lookup of pool: dial tcp 10.0.0.1:53: i/o timeout`, `lookup of pool: dial tcp 10.0.0.1:53: connection refused`},
	} {
		m := New(Options{})
		ids := feed(m, group...)
		for _, id := range ids[1:] {
			if id != ids[0] {
				t.Errorf("%q is another template than %q", group[1], group[0])
			}
		}
	}
	for _, pair := range [][2]string{
		{`"Pod was added" source="api"`, `"Pod was killed" source="api"`},       // the statement is quoted
		{"Executing op: Open(Key=a,Mode=1)", "Executing op: Copy(From=a,To=b)"}, // what is called differs
		{"permission denied for table a", "no such file or directory in table a"},
	} {
		if ids := feed(New(Options{}), pair[:]...); ids[0] == ids[1] {
			t.Errorf("%q and %q are one template", pair[0], pair[1])
		}
	}
	m := New(Options{})
	if ids := feed(m, "link eth0 up", "link eth0 down", "link eth0 up"); ids[0] == ids[1] || ids[0] != ids[2] {
		t.Errorf("ids %v", ids)
	}
}

func TestWordsThatVaryMerge(t *testing.T) {
	m := New(Options{})
	ids := feed(m, "Job alpha finished without any error", "Job beta finished without any error",
		"Job gamma finished without any error", "Job delta finished without any error", "Job omega finished without any error")
	if m.Len() != 1 {
		t.Fatalf("%d templates, want 1", m.Len())
	}
	top := m.All()[0]
	if top.Count != 5 || top.Text != "Job <*> finished without any error" {
		t.Errorf("%d times %q", top.Count, top.Text)
	}
	for _, id := range ids { // ids given out before the merge still resolve
		if m.Get(id) != top {
			t.Errorf("id %s does not resolve", id)
		}
	}
}

func TestRestoreContinues(t *testing.T) {
	lines := []string{"a b c d 1", "Job x1y finished without any error", "Job two finished without any error", "Job three finished without any error"}
	m := New(Options{})
	feed(m, lines...)
	raw, err := json.Marshal(m.State())
	if err != nil {
		t.Fatal(err)
	}
	var s State
	if err := json.Unmarshal(raw, &s); err != nil {
		t.Fatal(err)
	}
	again, err := Restore(s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	more := []string{"Job four finished without any error", "a b c d 2", "Job five finished without any error"}
	if diff := cmp.Diff(feed(m, more...), feed(again, more...)); diff != "" {
		t.Errorf("after a restart (-without +with):\n%s", diff)
	}
	want, got := fmt.Sprint(m.All()[0]), fmt.Sprint(again.All()[0])
	if want != got || m.Len() != again.Len() {
		t.Errorf("restored\n%s\nwant\n%s", got, want)
	}
}

func TestRestoreRefusesDamage(t *testing.T) {
	for name, ts := range map[string][]*Template{
		"nil":      {nil},
		"repeated": {{ID: "a", Key: "x", Shown: []string{"x"}}, {ID: "a", Key: "y", Shown: []string{"y"}}},
		"dangling": {{ID: "a", Key: "x", Shown: []string{"x"}, Into: "b"}},
		"circle":   {{ID: "a", Key: "x", Shown: []string{"x"}, Into: "b"}, {ID: "b", Key: "y", Shown: []string{"y"}, Into: "a"}},
		"words":    {{ID: "a", Key: "x y", Shown: []string{"x"}}},
	} {
		if _, err := Restore(State{Templates: ts}, Options{}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestMemoryIsBoundedAndCountsStayExact(t *testing.T) {
	m := New(Options{MaxTemplates: 50})
	word := func(i int) string { return strings.Repeat(string(rune('a'+i%26)), 1+i/26) }
	for i := range 1000 {
		feed(m, word(i)+" "+word(i*7)+" "+word(i*3))
	}
	if m.Len() > 60 {
		t.Errorf("%d templates, want about 50", m.Len())
	}
	var total int64
	for _, tpl := range m.All() {
		total += tpl.Count
	}
	if total != 1000 {
		t.Errorf("%d lines counted, want 1000", total)
	}
}

func TestChange(t *testing.T) {
	var tpl Template
	tpl.Seen(start, Origin{Host: "db-03"}, "x")
	for range 36 {
		tpl.Seen(start, Origin{Host: "db-03"}, "x")
	}
	if got := tpl.Change(start.Add(time.Hour)); got != "first seen 14:02, 37 times since, on db-03" {
		t.Errorf("new: %q", got)
	}
	tpl = Template{}
	at := start
	for range 72 {
		for range 10 {
			tpl.Seen(at, Origin{Host: "h"}, "x")
		}
		at = at.Add(time.Hour)
	}
	if got := tpl.Change(at); got != "" {
		t.Errorf("steady: %q", got)
	}
	for range 120 {
		tpl.Seen(at, Origin{Host: "h"}, "x")
	}
	if got := tpl.Change(at); got != "12 times more than usual (120 this hour)" {
		t.Errorf("spike: %q", got)
	}
	if got := tpl.Change(at.Add(5 * time.Hour)); !strings.HasPrefix(got, "silent since 14:02") {
		t.Errorf("silence: %q", got)
	}
}

func FuzzFind(f *testing.F) {
	f.Add("a b 1\nc d (2) e\nuser from by")
	f.Add("x=1 y= z \"GET /a b\" {a: 1} [a, b] 5 KB (3) Nov 21 10:00:00\n1.2.3.4 - - [21/Nov/2026:10:00:00 +0000] \"a b\" 1")
	f.Fuzz(func(t *testing.T, text string) {
		m, mask := New(Options{MaxTemplates: 20}), token.NewMasker()
		for l := range strings.Lines(text) {
			first, _ := m.Find(mask.Mask(l))
			again, isNew := m.Find(mask.Mask(l))
			if isNew || m.Resolve(first) != again {
				t.Fatalf("%q: %v then %v, new %v", l, first, again, isNew)
			}
		}
		if _, err := Restore(m.State(), Options{}); err != nil {
			t.Fatal(err)
		}
	})
}
