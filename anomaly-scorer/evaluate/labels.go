// Package evaluate measures the scorer against labelled logs: per kind of attack, per
// detector, and over thresholds.
package evaluate

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// Label is what is known of one connection.
type Label struct {
	Malicious bool
	Kind      string // kind of attack, as the labels call it
}

// Labels are labels by the connection's uid.
type Labels map[string]Label

// benign are the words that mean "no attack", in lower case.
var benign = []string{"", "-", "(empty)", "0", "false", "benign", "background", "normal", "good"}

// ReadLabels reads labels from a CSV file with the columns uid, label and optionally kind,
// or from a labelled Zeek log (Stratosphere, IoT-23), whose own columns it does not keep.
func ReadLabels(path string) (Labels, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("labels: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	b := bufio.NewReader(f)
	var in io.Reader = b
	if magic, err := b.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		if in, err = gzip.NewReader(b); err != nil {
			return nil, fmt.Errorf("labels %s: %w", path, err)
		}
	}
	l, err := parseLabels(in)
	if err != nil {
		return nil, fmt.Errorf("labels %s: %w", path, err)
	}
	return l, nil
}

func parseLabels(in io.Reader) (Labels, error) {
	out := Labels{}
	var cols []string
	sc := bufio.NewScanner(in)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		line := sc.Text()
		if rest, ok := strings.CutPrefix(line, "#fields"); ok {
			cols = fields(strings.TrimSpace(rest))
			continue
		}
		if line == "" || line[0] == '#' {
			continue
		}
		if cols == nil {
			cols = fields(line) // the header of a CSV
			continue
		}
		v := fields(line)
		uid, label := column(cols, v, "uid"), column(cols, v, "label")
		if uid == "" {
			continue
		}
		kind := column(cols, v, "kind", "detailedlabel", "detailed-label", "type")
		bad := !slices.Contains(benign, strings.ToLower(label))
		if kind == "" || kind == "-" || kind == "(empty)" {
			kind = label
		}
		out[uid] = Label{Malicious: bad, Kind: kind}
	}
	if err := sc.Err(); err != nil {
		return nil, err
	}
	if len(out) == 0 {
		return nil, errors.New("no labels: want columns uid and label, as CSV or in a labelled Zeek log")
	}
	return out, nil
}

// fields splits a line of CSV, or of a Zeek log, in which IoT-23 parts the labels from the
// rest by blanks.
func fields(line string) []string {
	sep := ","
	if strings.Contains(line, "\t") {
		line, sep = strings.ReplaceAll(line, "   ", "\t"), "\t"
	}
	out := strings.Split(line, sep)
	for i := range out {
		out[i] = strings.TrimSpace(out[i])
	}
	return out
}

func column(cols, v []string, names ...string) string {
	for _, n := range names {
		if i := slices.Index(cols, n); i >= 0 && i < len(v) {
			return v[i]
		}
	}
	return ""
}
