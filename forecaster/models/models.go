// Package models lists every forecasting model by name.
package models

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/inframind/inframind/forecaster/decomp"
	"github.com/inframind/inframind/forecaster/ensemble"
	"github.com/inframind/inframind/forecaster/ets"
	"github.com/inframind/inframind/forecaster/model"
	"github.com/inframind/inframind/forecaster/mstl"
	"github.com/inframind/inframind/forecaster/naive"
	"github.com/inframind/inframind/forecaster/profilear"
	"github.com/inframind/inframind/forecaster/theta"
)

// All lists the models; the ensemble, which is the default, looks horizon steps ahead.
func All(horizon int) []model.Model {
	return []model.Model{
		ensemble.Model{Horizon: horizon},
		profilear.Model{},
		theta.Model{},
		ets.Model{},
		mstl.Model{},
		decomp.Model{},
		naive.Seasonal{Period: 24 * time.Hour},
		naive.Seasonal{Period: 7 * 24 * time.Hour},
		naive.Drift{},
	}
}

// Get finds a model by name.
func Get(name string, horizon int) (model.Model, error) {
	all := All(horizon)
	i := slices.IndexFunc(all, func(m model.Model) bool { return m.Name() == name })
	if i < 0 {
		return nil, fmt.Errorf("no model %q: want one of %s", name, strings.Join(Names(), ", "))
	}
	return all[i], nil
}

// Names lists the names of all models.
func Names() []string {
	var out []string
	for _, m := range All(0) {
		out = append(out, m.Name())
	}
	return out
}
