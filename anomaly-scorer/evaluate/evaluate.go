package evaluate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/inframind/inframind/anomaly-scorer/detect"
	"github.com/inframind/inframind/anomaly-scorer/measure"
	"github.com/inframind/inframind/anomaly-scorer/scorer"
	"github.com/inframind/inframind/internal/zeek"
)

// Kind is how well one kind of attack was found.
type Kind struct {
	Name        string
	Connections int
	Flagged     int
	By          map[string]int // by detector
	Findings    int            // that are about it
}

// Report is the outcome of an evaluation.
type Report struct {
	Connections, Unlabelled int
	AUROC, AP               float64
	Detected, FalsePositive float64
	Kinds                   []Kind
	FalseBy                 map[string]int   // falsely flagged connections by detector
	FalseFindings           []detect.Finding // about no labelled attack, severity low and info left out
	Summary                 scorer.Summary

	scores  []float64
	unusual []float64
	truth   []bool
}

// ErrNoMatch says that labels and logs do not belong together.
var ErrNoMatch = errors.New("no connection of the logs has a label")

// Run scores the logs of dir, which never shows the labels to the scorer, and compares.
func Run(ctx context.Context, c scorer.Config, dir string, forest *scorer.Forest, labels Labels) (*Report, error) {
	r := &Report{FalseBy: map[string]int{}}
	kinds := map[string]*Kind{}
	var flagged []bool
	sum, err := scorer.Files(ctx, c, dir, forest, scorer.Sinks{Conn: func(conn *zeek.Conn, v *scorer.Verdict) {
		l, ok := labels[conn.UID]
		if !ok {
			r.Unlabelled++
			return
		}
		r.scores, r.unusual = append(r.scores, v.Score), append(r.unusual, v.Unusual)
		r.truth, flagged = append(r.truth, l.Malicious), append(flagged, v.Flagged)
		if !l.Malicious {
			if v.Flagged {
				r.FalseBy[v.Detector]++
			}
			return
		}
		k := kinds[l.Kind]
		if k == nil {
			k = &Kind{Name: l.Kind, By: map[string]int{}}
			kinds[l.Kind] = k
		}
		k.Connections++
		if v.Flagged {
			k.Flagged++
			k.By[v.Detector]++
		}
	}})
	if err != nil {
		return nil, err
	}
	if len(r.truth) == 0 {
		return nil, ErrNoMatch
	}
	r.Connections, r.Summary = len(r.truth), sum
	r.AUROC, r.AP = measure.AUROC(r.scores, r.truth), measure.AveragePrecision(r.scores, r.truth)
	r.Detected, r.FalsePositive = measure.Rates(flagged, r.truth)
	r.assign(kinds, labels)
	for _, k := range kinds {
		r.Kinds = append(r.Kinds, *k)
	}
	slices.SortFunc(r.Kinds, func(a, b Kind) int { return cmp.Or(b.Connections-a.Connections, strings.Compare(a.Name, b.Name)) })
	return r, nil
}

// assign counts the findings for the kind of attack that most of their connections are of.
func (r *Report) assign(kinds map[string]*Kind, labels Labels) {
	for _, f := range r.Summary.Findings {
		votes := map[string]int{}
		for _, uid := range f.UIDs {
			if l := labels[uid]; l.Malicious {
				votes[l.Kind]++
			}
		}
		best := ""
		for kind, n := range votes {
			if best == "" || n > votes[best] || n == votes[best] && kind < best {
				best = kind
			}
		}
		switch {
		case kinds[best] != nil:
			kinds[best].Findings++
		case f.Severity != detect.Info && f.Severity != detect.Low:
			r.FalseFindings = append(r.FalseFindings, f)
		}
	}
}

// Print writes the report as tables.
func (r *Report) Print(w io.Writer) error {
	fmt.Fprintf(w, "%d labelled connections (%d without a label left out)\n", r.Connections, r.Unlabelled)
	fmt.Fprintf(w, "AUROC %.4f  average precision %.4f\nfound %.2f %% of the malicious, flagged %.3f %% of the others\n\n", r.AUROC, r.AP, 100*r.Detected, 100*r.FalsePositive)
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "KIND\tCONNECTIONS\tFOUND\tFINDINGS\tBY")
	for _, k := range r.Kinds {
		fmt.Fprintf(t, "%s\t%d\t%.1f %%\t%d\t%s\n", k.Name, k.Connections, 100*float64(k.Flagged)/float64(k.Connections), k.Findings, counts(k.By))
	}
	fmt.Fprintf(t, "(false)\t\t\t%d\t%s\n", len(r.FalseFindings), counts(r.FalseBy))
	return t.Flush()
}

func counts(m map[string]int) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, fmt.Sprintf("%s %d", k, m[k]))
	}
	return strings.Join(out, ", ")
}
