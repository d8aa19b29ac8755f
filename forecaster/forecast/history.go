package forecast

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/inframind/inframind/forecaster/model"
	"github.com/inframind/inframind/internal/promapi"
	"github.com/inframind/inframind/internal/series"
)

// Found is one series of a target with what is known of it.
type Found struct {
	series.Series
	Unit   string
	Events []model.Event
}

// History asks Prometheus for the one configured series whose target{labels} contains
// match.
func History(ctx context.Context, cfg Config, match string) (Found, error) {
	prom, err := promapi.New(cfg.Prometheus)
	if err != nil {
		return Found{}, err
	}
	defer prom.Close()
	ctx, cancel := context.WithTimeout(ctx, time.Duration(cfg.Timeout))
	defer cancel()
	e := &Engine{cfg: cfg, prom: prom}
	now := time.Now()
	var found []Found
	var names []string
	for i := range cfg.Targets {
		t := &cfg.Targets[i]
		if name, _, ok := strings.Cut(match, "{"); ok && name != t.Name {
			continue // the name is given in full: spare the other queries
		}
		err := e.fetch(ctx, t, now, func(s series.Series) error {
			if k := key(t.Name, s.Labels); strings.Contains(k, match) {
				found, names = append(found, Found{s, t.Unit, cfg.known(now)}), append(names, k)
			}
			return nil
		})
		if err != nil {
			return Found{}, err
		}
	}
	switch len(found) {
	case 0:
		return Found{}, fmt.Errorf("no series matches %q", match)
	case 1:
		return found[0], nil
	}
	return Found{}, fmt.Errorf("%d series match %q, e.g. %s and %s", len(found), match, names[0], names[1])
}
