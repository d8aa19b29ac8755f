package forecast

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/inframind/inframind/internal/promapi"
	"github.com/inframind/inframind/internal/series"
)

// History asks Prometheus for the one configured series whose target{labels} contains
// match, and returns it with its unit.
func History(ctx context.Context, cfg Config, match string) (series.Series, string, error) {
	prom, err := promapi.New(cfg.Prometheus)
	if err != nil {
		return series.Series{}, "", err
	}
	defer prom.Close()
	ctx, cancel := context.WithTimeout(ctx, time.Duration(cfg.Timeout))
	defer cancel()
	e := &Engine{cfg: cfg, prom: prom}
	var found []series.Series
	var unit string
	var names []string
	for i := range cfg.Targets {
		t := &cfg.Targets[i]
		if name, _, ok := strings.Cut(match, "{"); ok && name != t.Name {
			continue // the name is given in full: spare the other queries
		}
		err := e.fetch(ctx, t, time.Now(), func(s series.Series) error {
			if k := key(t.Name, s.Labels); strings.Contains(k, match) {
				found, unit, names = append(found, s), t.Unit, append(names, k)
			}
			return nil
		})
		if err != nil {
			return series.Series{}, "", err
		}
	}
	switch len(found) {
	case 0:
		return series.Series{}, "", fmt.Errorf("no series matches %q", match)
	case 1:
		return found[0], unit, nil
	}
	return series.Series{}, "", fmt.Errorf("%d series match %q, e.g. %s and %s", len(found), match, names[0], names[1])
}
