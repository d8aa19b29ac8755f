package mine

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/inframind/inframind/log-classifier/token"
)

// fed returns a miner that has seen lines, and the one template that each has in the end.
func fed(lines ...string) (m *Miner, texts []string) {
	m = New(Options{})
	texts = feed(m, lines...)
	for i, id := range texts {
		texts[i] = m.Get(id).Text
	}
	return m, texts
}

// each fills a format with values.
func each(format string, values ...string) (lines []string) {
	for _, v := range values {
		lines = append(lines, strings.Replace(format, "%", v, 1))
	}
	return lines
}

func TestStretchesThatVary(t *testing.T) {
	phrases := []string{"user request", "disk pressure on host", "idle", "memory limit of pod reached", "lost contact", "spot price above bid"}
	for want, lines := range map[string][]string{
		"Instance <ip> was stopped because of <**>": each("Instance 10.0.0.1 was stopped because of %", phrases...),
		"Moving the <**> into another zone":         each("Moving the % into another zone", phrases...),
		"state cause=<**> next=<num> pool=<num>":    each("state cause=% next=3 pool=4", phrases...),
		"relayout of <*> took <num> frames":         each("relayout of % took 3 frames", "Window{3f a/.B}", "PopupWindow{c0 u0 x t7}"),
		"cells of rack are now <**>":                append(each("cells of rack are now %", phrases...), "cells of rack are now 7"),
	} {
		_, texts := fed(lines...)
		for i, got := range texts {
			if got != want {
				t.Errorf("%q is in %q, want %q", lines[i], got, want)
			}
		}
	}
}

func TestPhrasesOfAStatementStayApart(t *testing.T) {
	var lines []string
	for i, v := range []string{"Web Server", "Print Spooler", "Time Daemon Of Host", "Index Rebuild", "Night Backup Job", "Log Rotation"} {
		for _, verb := range []string{"started", "stopped"} {
			lines = append(lines, fmt.Sprintf("unit %s was %s by operator %d", v, verb, i))
		}
		lines = append(lines, "Failed password for "+strings.Fields(strings.ToLower(v))[0]+" from 10.0.0.1 port 22", "Failed password for invalid user "+strings.Fields(strings.ToLower(v))[1]+" from 10.0.0.1 port 22")
	}
	_, texts := fed(lines...)
	for _, apart := range [][2]int{{0, 1}, {2, 3}, {4, 5}} {
		if a, b := texts[apart[0]], texts[apart[1]]; a == b {
			t.Errorf("%q and %q are both in %q", lines[apart[0]], lines[apart[1]], a)
		}
	}
}

// TestStatementsBeginDifferently: what all errors of a server end with does not make one
// statement of them.
func TestStatementsBeginDifferently(t *testing.T) {
	_, texts := fed(each("*7 %, client: 10.0.0.1, server: shop, request: \"GET /a HTTP/1.1\", host: \"shop\"",
		"upstream closed connection while reading response header", "directory index of the root is forbidden", "client sent invalid header line in its request",
		"no live upstreams while connecting to upstream", "limiting requests by zone of the site", "access forbidden by rule of the site",
		"too big body was sent by this client", "cannot buffer body of this request")...)
	for i := range texts {
		for k := range i {
			if texts[i] == texts[k] {
				t.Fatalf("two statements are in %q", texts[i])
			}
		}
	}
}

func TestKeyIsNoFilling(t *testing.T) {
	var lines []string
	for i := range 6 {
		name := string(rune('a'+i)) + "nna"
		lines = append(lines, "login refused on terminal rhost=10.0.0."+fmt.Sprint(i), "login refused on terminal rhost=10.0.0.1 user="+name)
	}
	if _, texts := fed(lines...); texts[0] == texts[1] {
		t.Errorf("an optional key is part of %q", texts[0])
	}
}

// TestCountsStayExactWithGaps also sees that the index gives up the words of merged templates.
func TestCountsStayExactWithGaps(t *testing.T) {
	m, mask := New(Options{MaxTemplates: 20}), token.NewMasker()
	for i := range 2000 {
		word := func(k int) string { return strings.Repeat(string(rune('a'+(i*k)%26)), 1+(i*k)%17) }
		line := fmt.Sprintf("moving %s of %s %s into zone %s", word(1), word(3), word(7), word(11))
		tpl, _ := m.Find(mask.Mask(line))
		tpl.Seen(time.Unix(0, 0), Origin{Host: "h"}, line)
	}
	var total int64
	for _, tpl := range m.All() {
		total += tpl.Count
	}
	if total != 2000 {
		t.Errorf("%d lines counted, want 2000", total)
	}
	if n := len(m.index.words); n > maxWords*20 {
		t.Errorf("%d words in the index, want at most %d", n, maxWords*20)
	}
	for h, list := range m.index.words {
		if len(list) > maxPosting {
			t.Errorf("%d templates for word %x, want at most %d", len(list), h, maxPosting)
		}
	}
}
