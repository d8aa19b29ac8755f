// Package evalset reads the public recordings that forecasts are measured on and cuts each
// series into what a forecaster may see and what came after.
package evalset

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Case is one series with its future.
type Case struct {
	Name        string
	Start       time.Time
	Step        time.Duration
	Train, Test []float64
}

// Sets are the names Load knows.
func Sets() []string { return []string{"m4", "bitbrains", "smd", "asd", "nab"} }

// Load reads one set below root (the folder of recordings) at the given step; m4 is
// always hourly.
func Load(root, set string, step time.Duration) ([]Case, error) {
	dir := filepath.Join(root, "timeseries")
	switch set {
	case "m4":
		return m4(filepath.Join(dir, "m4_hourly"))
	case "bitbrains":
		return bitbrains(filepath.Join(dir, "bitbrains_rnd"), step)
	case "smd":
		return servers(filepath.Join(dir, "smd"), time.Minute, step, []int{0, 1, 5, 12, 15, 18, 19})
	case "asd":
		return servers(filepath.Join(dir, "asd"), 5*time.Minute, step, nil)
	case "nab":
		return nab(filepath.Join(dir, "nab"), step)
	}
	return nil, fmt.Errorf("no set %q: want one of %s", set, strings.Join(Sets(), ", "))
}

var epoch = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// m4 joins the two files of the competition; the last 48 steps are to be forecast.
func m4(dir string) ([]Case, error) {
	train, err := records(filepath.Join(dir, "Hourly-train.csv.gz"), ',')
	if err != nil {
		return nil, err
	}
	test, err := records(filepath.Join(dir, "Hourly-test.csv.gz"), ',')
	if err != nil {
		return nil, err
	}
	after := map[string][]float64{}
	for _, rec := range test {
		after[rec[0]] = numbers(rec[1:])
	}
	var out []Case
	for _, rec := range train {
		if y := numbers(rec[1:]); len(y) > 0 && len(after[rec[0]]) > 0 {
			out = append(out, Case{Name: rec[0], Start: epoch, Step: time.Hour, Train: y, Test: after[rec[0]]})
		}
	}
	return out, nil
}

// bitbrains has virtual machines at 5 minutes for three months: three windows of 21 + 7
// days each, of CPU, memory, disk and network.
func bitbrains(dir string, step time.Duration) ([]Case, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.csv.xz"))
	if err != nil {
		return nil, err
	}
	var out []Case
	for _, f := range files {
		recs, err := records(f, ';')
		if err != nil {
			return nil, err
		}
		for col, name := range map[int]string{4: "cpu", 6: "memory", 7: "disk_read", 8: "disk_write", 9: "net_in", 10: "net_out"} {
			var times []int64
			var vals []float64
			for _, rec := range recs[1:] {
				t, err1 := strconv.ParseInt(rec[0], 10, 64)
				v, err2 := strconv.ParseFloat(rec[col], 64)
				if err1 == nil && err2 == nil {
					times, vals = append(times, t), append(vals, v)
				}
			}
			y, start := bin(times, vals, step)
			for w := range 3 {
				c := window(y, start.Add(time.Duration(w)*30*24*time.Hour), start, step, 21, 7)
				c.Name = fmt.Sprintf("%s/%s/%d", strings.TrimSuffix(filepath.Base(f), ".csv.xz"), name, w)
				if usable(c) {
					out = append(out, c)
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b Case) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// servers has a folder a machine with train.csv.xz and test.csv.xz, no timestamps.
func servers(dir string, own, step time.Duration, cols []int) ([]Case, error) {
	machines, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		return nil, err
	}
	var out []Case
	for _, m := range machines {
		var all [][]string
		width := 0
		for _, part := range []string{"train.csv.xz", "test.csv.xz"} {
			recs, err := records(filepath.Join(m, part), ',')
			if err != nil {
				return nil, err
			}
			if width == 0 {
				width = len(recs[0])
			}
			all = append(all, recs[1:]...)
		}
		use := cols
		if use == nil {
			for c := range width {
				use = append(use, c)
			}
		}
		for _, col := range use {
			var times []int64
			var vals []float64
			for i, rec := range all {
				if v, err := strconv.ParseFloat(rec[col], 64); err == nil {
					times, vals = append(times, epoch.Unix()+int64(i)*int64(own/time.Second)), append(vals, v)
				}
			}
			y, start := bin(times, vals, step)
			for w := range 2 {
				c := window(y, start.Add(time.Duration(w)*8*24*time.Hour), start, step, 21, 7)
				c.Name = fmt.Sprintf("%s/m%d/%d", filepath.Base(m), col, w)
				if usable(c) {
					out = append(out, c)
				}
			}
		}
	}
	return out, nil
}

// nab has short series; the last 48 hours of each are to be forecast.
func nab(dir string, step time.Duration) ([]Case, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.csv*"))
	if err != nil {
		return nil, err
	}
	var out []Case
	for _, f := range files {
		recs, err := records(f, ',')
		if err != nil {
			return nil, err
		}
		var times []int64
		var vals []float64
		for _, rec := range recs[1:] {
			t, err1 := time.Parse(time.DateTime, rec[0])
			v, err2 := strconv.ParseFloat(rec[1], 64)
			if err1 == nil && err2 == nil {
				times, vals = append(times, t.Unix()), append(vals, v)
			}
		}
		y, start := bin(times, vals, step)
		h := int(48 * time.Hour / step)
		if len(y) < 3*h {
			continue
		}
		c := Case{Name: strings.Split(filepath.Base(f), ".csv")[0], Start: start, Step: step, Train: y[:len(y)-h], Test: y[len(y)-h:]}
		if usable(c) {
			out = append(out, c)
		}
	}
	return out, nil
}

// bin averages samples to a grid; what is missing is NaN.
func bin(times []int64, vals []float64, step time.Duration) ([]float64, time.Time) {
	if len(times) == 0 {
		return nil, time.Time{}
	}
	s := int64(step / time.Second)
	first, last := slices.Min(times)/s, slices.Max(times)/s
	sum, n := make([]float64, last-first+1), make([]float64, last-first+1)
	for i, t := range times {
		sum[t/s-first] += vals[i]
		n[t/s-first]++
	}
	for i := range sum {
		sum[i] /= n[i]
	}
	return sum, time.Unix(first*s, 0).UTC()
}

// window cuts days of history and of future out of y.
func window(y []float64, from, start time.Time, step time.Duration, in, after int) Case {
	day := int(24 * time.Hour / step)
	i := int(from.Sub(start) / step)
	if i < 0 || i+(in+after)*day > len(y) {
		return Case{}
	}
	return Case{Start: from, Step: step, Train: y[i : i+in*day], Test: y[i+in*day : i+(in+after)*day]}
}

// usable leaves out what nobody can be measured on: no data, or a constant.
func usable(c Case) bool {
	if len(c.Train) == 0 {
		return false
	}
	seen := map[float64]bool{}
	nan := 0
	for _, v := range c.Train {
		if math.IsNaN(v) {
			nan++
		} else {
			seen[v] = true
		}
	}
	return len(seen) > 2 && nan < len(c.Train)/10 && slices.ContainsFunc(c.Test, func(v float64) bool { return !math.IsNaN(v) })
}

func numbers(rec []string) []float64 {
	var out []float64
	for _, s := range rec {
		if v, err := strconv.ParseFloat(s, 64); err == nil {
			out = append(out, v)
		}
	}
	return out
}

// records reads a CSV file, unpacking .gz itself and .xz with the xz tool.
func records(path string, comma rune) ([][]string, error) {
	raw, err := unpack(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	r := csv.NewReader(bytes.NewReader(raw))
	r.Comma, r.FieldsPerRecord = comma, -1
	recs, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(recs) < 2 {
		return nil, fmt.Errorf("%s: no data", path)
	}
	return recs, nil
}

func unpack(path string) (raw []byte, err error) {
	if strings.HasSuffix(path, ".xz") {
		return exec.Command("xz", "-dc", path).Output()
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if !strings.HasSuffix(path, ".gz") {
		return io.ReadAll(f)
	}
	zr, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	raw, err = io.ReadAll(zr)
	return raw, errors.Join(err, zr.Close())
}
