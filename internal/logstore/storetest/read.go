package storetest

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inframind/inframind/internal/logstore"
)

func storedOrder(e *env) {
	e.write(doc("c", noon.Add(2*time.Second), "x"), doc("a", noon, "x"))
	e.write(doc("b", noon.Add(time.Second), "x"))
	docs, next := e.drain(logstore.Query{Limit: 1})
	e.wantIDs("stored order", docs, "c", "a", "b")
	p := e.read(logstore.Query{After: next})
	if len(p.Documents) != 0 || p.Next != next {
		e.Errorf("the end moves: %+v", p)
	}
}

// A line that arrives days late must still be met by a cursor that has passed its time.
func lateDocuments(e *env) {
	e.write(doc("now", noon, "x"))
	_, next := e.drain(logstore.Query{})
	e.write(doc("same-day", noon.Add(-time.Hour), "x"))
	e.write(doc("last-week", noon.AddDate(0, 0, -7), "x"))
	e.write(doc("tomorrow", noon.AddDate(0, 0, 1), "x"))
	docs, next := e.drain(logstore.Query{After: next, Limit: 1})
	seen := map[string]bool{}
	for _, d := range docs {
		seen[d.ID] = true
	}
	if len(docs) != 3 || !seen["same-day"] || !seen["last-week"] || !seen["tomorrow"] {
		e.Errorf("after the cursor: %v", docs)
	}
	e.write(doc("later", noon.AddDate(0, 0, -7).Add(time.Minute), "x"))
	e.wantIDs("after the second cursor", e.read(logstore.Query{After: next}).Documents, "later")
}

func paging(e *env) {
	const n = 2500
	docs := make([]logstore.Document, n)
	want := ids("p", n)
	for i := range docs {
		docs[i] = doc(want[i], noon.Add(time.Duration(i%7)*time.Second), "line")
	}
	e.write(docs...)
	if got := len(e.read(logstore.Query{}).Documents); got != 1000 {
		e.Errorf("default limit gives %d documents", got)
	}
	for _, limit := range []int{999, 10_000, 1_000_000} {
		got, _ := e.drain(logstore.Query{Limit: limit})
		e.wantIDs(fmt.Sprintf("limit %d", limit), got, want...)
	}
}

func filteredCursor(e *env) {
	e.write(doc("a", noon, "red"), doc("b", noon, "blue"), doc("c", noon, "red"), doc("d", noon, "blue"))
	docs, next := e.drain(logstore.Query{Text: "red", Limit: 1})
	e.wantIDs("red", docs, "a", "c")
	e.write(doc("e", noon, "red"), doc("f", noon, "blue"))
	docs, _ = e.drain(logstore.Query{Text: "red", After: next})
	e.wantIDs("red after the cursor", docs, "e")
}

func textSearch(e *env) {
	e.write(
		doc("a", noon, "eth0: link down, carrier lost"),
		doc("b", noon, "eth1: LINK up"),
		doc("c", noon, "disk full on /dev/sda1 (code=28)"),
		doc("d", noon, "Ошибка диска на сервере"),
		doc("e", noon, "near AND \"quoted\" OR NOT (text*"),
		doc("f", noon, "downstream linked"),
	)
	for text, want := range map[string][]string{
		"link":           {"a", "b"},
		"down LINK":      {"a"},
		"eth0":           {"a"},
		"eth0: down":     {"a"},
		"dev sda1 28":    {"c"},
		"ошибка":         {"d"},
		"and or not":     {"e"},
		`"quoted" text*`: {"e"},
		"lin":            {},
		"link nowhere":   {},
	} {
		docs, _ := e.drain(logstore.Query{Text: text})
		e.wantIDs("text "+text, docs, want...)
		if n, err := e.store.Count(e.ctx(), logstore.Query{Index: e.index, Text: text}); err != nil || int(n) != len(want) {
			e.Errorf("count of %q: %d, %v", text, n, err)
		}
	}
}

func match(e *env) {
	e.write(
		doc("a", noon, "x", "host.name", "web-1", "process.pid", 7, "tags", []string{"p", "q"}),
		doc("b", noon.Add(time.Minute), "x", "host.name", "web-2", "process.pid", 8, "ok", true),
		doc("c", noon.Add(2*time.Minute), "x", "host.name", "WEB-1"),
	)
	for _, tc := range []struct {
		q    logstore.Query
		want []string
	}{
		{logstore.Query{Match: map[string]string{"host.name": "web-1"}}, []string{"a"}},
		{logstore.Query{Match: map[string]string{"host.name": "web"}}, nil},
		{logstore.Query{Match: map[string]string{"process.pid": "8"}}, []string{"b"}},
		{logstore.Query{Match: map[string]string{"ok": "true"}}, []string{"b"}},
		{logstore.Query{Match: map[string]string{"tags": "q"}}, []string{"a"}},
		{logstore.Query{Match: map[string]string{"tags": "q", "host.name": "web-2"}}, nil},
		{logstore.Query{Match: map[string]string{"none": "x"}}, nil},
		{logstore.Query{From: noon.Add(time.Minute)}, []string{"b", "c"}},
		{logstore.Query{To: noon.Add(time.Minute)}, []string{"a"}},
		{logstore.Query{From: noon, To: noon.Add(2 * time.Minute)}, []string{"a", "b"}},
	} {
		docs, _ := e.drain(tc.q)
		e.wantIDs(fmt.Sprintf("%+v", tc.q), docs, tc.want...)
	}
}

func latest(e *env) {
	e.write(doc("b", noon, "x"), doc("old", noon.AddDate(0, 0, -3), "x"), doc("a", noon.Add(time.Second), "y"))
	e.write(doc("mid", noon.AddDate(0, 0, -1), "x"))
	for _, tc := range []struct {
		q    logstore.Query
		want []string
	}{
		{logstore.Query{}, []string{"a", "b", "mid", "old"}},
		{logstore.Query{Limit: 2}, []string{"a", "b"}},
		{logstore.Query{Text: "x", Limit: 2}, []string{"b", "mid"}},
		{logstore.Query{To: noon}, []string{"mid", "old"}},
	} {
		tc.q.Index = e.index
		docs, err := e.store.Latest(e.ctx(), tc.q)
		if err != nil {
			e.Fatal(err)
		}
		e.wantIDs(fmt.Sprintf("%+v", tc.q), docs, tc.want...)
	}
}

func histogram(e *env) {
	day := noon.Truncate(24 * time.Hour)
	e.write(
		doc("a", day.Add(time.Hour), "x", "ml_category", "noise"),
		doc("b", day.Add(time.Hour+59*time.Minute), "x", "ml_category", "noise"),
		doc("c", day.Add(time.Hour), "x", "ml_category", "critical"),
		doc("d", day.Add(2*time.Hour), "y"),
		doc("e", day.AddDate(0, 0, 1), "x", "ml_category", "noise"),
	)
	q := logstore.Query{Index: e.index}
	got, err := e.store.Histogram(e.ctx(), q, time.Hour, "ml_category")
	if err != nil {
		e.Fatal(err)
	}
	want := []logstore.Bucket{
		{Start: day.Add(time.Hour), Value: "critical", Count: 1},
		{Start: day.Add(time.Hour), Value: "noise", Count: 2},
		{Start: day.Add(2 * time.Hour), Value: "", Count: 1},
		{Start: day.AddDate(0, 0, 1), Value: "noise", Count: 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		e.Errorf("by hour and category (-want +got):\n%s", diff)
	}
	q.Text, q.To = "x", day.AddDate(0, 0, 1)
	got, err = e.store.Histogram(e.ctx(), q, 24*time.Hour, "")
	if err != nil {
		e.Fatal(err)
	}
	if diff := cmp.Diff([]logstore.Bucket{{Start: day, Count: 3}}, got); diff != "" {
		e.Errorf("by day (-want +got):\n%s", diff)
	}
}

func histogramBounds(e *env) {
	e.write(doc("a", noon, "x"), doc("b", noon.AddDate(0, 0, 1), "x"))
	q := logstore.Query{Index: e.index}
	for _, every := range []time.Duration{0, -time.Hour, time.Millisecond} {
		if _, err := e.store.Histogram(e.ctx(), q, every, ""); err == nil {
			e.Errorf("step %s is accepted", every)
		}
	}
	if _, err := e.store.Histogram(e.ctx(), q, time.Hour, `a"b`); err == nil {
		e.Error("a bad field name is accepted")
	}
}

func unicodeText(e *env) {
	texts := map[string]string{
		"emoji":   "disk 🔥 burning 👩‍💻",
		"cjk":     "磁盘故障 磁盘",
		"rtl":     "خطأ في القرص",
		"bad":     "caf\xc3\x28 \xff",
		"control": "a\x01b\ttab\nnewline\r\n\x1b[31mred",
		"quotes":  `{"json":"inside \"quotes\""}`,
	}
	for id, text := range texts {
		e.write(doc(id, noon, text, "copy", text))
	}
	texts["bad"] = strings.ToValidUTF8(texts["bad"], "\uFFFD")
	for id, want := range texts {
		d, ok, err := e.store.Get(e.ctx(), e.index, id)
		if err != nil || !ok {
			e.Fatalf("%s: %v, %v", id, ok, err)
		}
		if d.Message != want {
			e.Errorf("%s: message %q, want %q", id, d.Message, want)
		}
		if id != "bad" && d.Fields["copy"] != want {
			e.Errorf("%s: field %q, want %q", id, d.Fields["copy"], want)
		}
	}
	e.write(doc("nul-\x00", noon, "nul \x00 inside"))
	if d, ok, err := e.store.Get(e.ctx(), e.index, "nul-\x00"); err != nil || !ok || d.Message != "nul \x00 inside" {
		e.Errorf("NUL: %q, %v, %v", d.Message, ok, err)
	}
}

func bigMessages(e *env) {
	const n, size = 40, 1 << 20 // more than either adapter puts into one page
	want := ids("big", n)
	for i, id := range want {
		text := id + " " + strings.Repeat(string(rune('a'+i%26)), size)
		e.write(doc(id, noon, text, "copy", strings.Repeat("f", 100_000)))
	}
	p := e.read(logstore.Query{Limit: n})
	if len(p.Documents) == 0 || len(p.Documents) == n {
		e.Errorf("a page holds %d of %d documents of 1 MB, want some but not all", len(p.Documents), n)
	}
	docs, _ := e.drain(logstore.Query{Limit: n})
	e.wantIDs("all", docs, want...)
	for _, d := range docs {
		if len(d.Message) != size+len(d.ID)+1 {
			e.Errorf("%s has %d bytes", d.ID, len(d.Message))
		}
	}
	found, _ := e.drain(logstore.Query{Text: want[7]})
	e.wantIDs("text in a big message", found, want[7])
}

func empty(e *env) {
	q := logstore.Query{Index: e.index}
	if p := e.read(q); len(p.Documents) != 0 || p.Next != "" {
		e.Errorf("read of an index that does not exist: %+v", p)
	}
	if docs, err := e.store.Latest(e.ctx(), q); len(docs) != 0 || err != nil {
		e.Errorf("latest: %v, %v", docs, err)
	}
	if n, err := e.store.Count(e.ctx(), q); n != 0 || err != nil {
		e.Errorf("count: %d, %v", n, err)
	}
	if b, err := e.store.Histogram(e.ctx(), q, time.Hour, "x"); len(b) != 0 || err != nil {
		e.Errorf("histogram: %v, %v", b, err)
	}
	if _, ok, err := e.store.Get(e.ctx(), e.index, "a"); ok || err != nil {
		e.Errorf("get: %v, %v", ok, err)
	}
	e.write()
}

func badQueries(e *env) {
	e.write(doc("a", noon, "x"))
	for _, q := range []logstore.Query{
		{Index: ""},
		{Index: "../etc"},
		{Index: "UPPER"},
		{Index: e.index, After: "no cursor"},
		{Index: e.index, Text: "***"},
		{Index: e.index, Match: map[string]string{`x"`: "y"}},
	} {
		if _, err := e.store.Read(e.ctx(), q); err == nil {
			e.Errorf("query %+v is accepted", q)
		}
	}
	if _, err := e.store.Write(e.ctx(), "Bad/Index", []logstore.Document{doc("a", noon, "x")}); err == nil {
		e.Error("a bad index name is accepted")
	}
}
