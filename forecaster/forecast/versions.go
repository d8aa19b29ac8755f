package forecast

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/inframind/inframind/internal/job"
)

// keepVersions is how many trained states are kept beside the current one, for going back.
const keepVersions = 5

const (
	versionDir    = "versions"
	versionSuffix = ".json.gz"
)

// saveVersion keeps a trained state under the time of its training and drops the oldest.
func saveVersion(dir string, now time.Time, raw []byte) (version string, err error) {
	version = now.UTC().Format("20060102T150405Z")
	if err := job.SaveFile(filepath.Join(dir, versionDir, version+versionSuffix), raw); err != nil {
		return "", err
	}
	all, err := Versions(dir)
	if err != nil {
		return "", err
	}
	for _, old := range all[min(keepVersions, len(all)):] {
		if err := os.Remove(filepath.Join(dir, versionDir, old+versionSuffix)); err != nil {
			return "", fmt.Errorf("drop version %s: %w", old, err)
		}
	}
	return version, nil
}

// Versions lists the trained states kept in a state directory, newest first.
func Versions(dir string) ([]string, error) {
	list, err := filepath.Glob(filepath.Join(dir, versionDir, "2*"+versionSuffix))
	if err != nil {
		return nil, err
	}
	for i, path := range list {
		list[i] = strings.TrimSuffix(filepath.Base(path), versionSuffix)
	}
	slices.Sort(list)
	slices.Reverse(list)
	return list, nil
}

// Rollback puts the models of an earlier version into service: the next run forecasts with
// them, and the next training has to do as well. Forecasts stay as they are until then, and
// so do series that the version does not know. It says how many series went back.
func Rollback(dir, version string, now time.Time) (n int, err error) {
	if version != filepath.Base(version) {
		return 0, fmt.Errorf("version %q is not a name", version)
	}
	unlock, err := job.Lock(dir)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	then, err := readResults(filepath.Join(dir, versionDir, version+versionSuffix))
	if err != nil {
		return 0, fmt.Errorf("roll back: %w", err)
	}
	list, err := LoadResults(dir)
	if err != nil {
		return 0, err
	}
	old := make(map[string]*Result, len(then))
	for _, r := range then {
		old[key(r.Target, r.Labels)] = r
	}
	for _, r := range list {
		if o := old[key(r.Target, r.Labels)]; o != nil && o.State != nil {
			r.State, r.Model, r.Backtest, r.Kept = o.State, o.Model, o.Backtest, o.Kept
			r.Trained, r.Last = now, time.Time{} // as if nothing had been forecast since
			n++
		}
	}
	if n == 0 {
		return 0, fmt.Errorf("roll back: version %s knows none of the %d series", version, len(list))
	}
	if err := saveResults(dir, list); err != nil {
		return 0, err
	}
	return n, job.AppendTraining(dir, job.Training{Time: now, Model: version, Promoted: true, Reason: fmt.Sprintf("rolled back by hand, %d series", n)})
}
