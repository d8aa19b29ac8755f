// Package dashboards makes the Grafana dashboards. They are written in Go so that every
// query can be run by a test; the JSON beside it is generated and is what people import.
package dashboards

import (
	"embed"
	"encoding/json"
	"fmt"
	"strings"
)

//go:generate go run ./gen

// Files are the generated dashboards, json/<uid>.json.
//
//go:embed json/*.json
var Files embed.FS

// Dashboard is the part of Grafana's dashboard model (schema version 39) that is used here.
type Dashboard struct {
	UID           string      `json:"uid"`
	Title         string      `json:"title"`
	Description   string      `json:"description,omitempty"`
	Tags          []string    `json:"tags"`
	Timezone      string      `json:"timezone"`
	SchemaVersion int         `json:"schemaVersion"`
	Refresh       string      `json:"refresh"`
	Time          TimeRange   `json:"time"`
	Annotations   Annotations `json:"annotations"`
	Templating    Templating  `json:"templating"`
	Panels        []Panel     `json:"panels"`
}

// TimeRange is what a dashboard shows when it is opened.
type TimeRange struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Templating holds a dashboard's variables.
type Templating struct {
	List []Variable `json:"list"`
}

// Annotations are marks on the time axis.
type Annotations struct {
	List []Annotation `json:"list"`
}

// Annotation is one query whose samples are marks.
type Annotation struct {
	Name        string `json:"name"`
	Datasource  any    `json:"datasource"`
	Enable      bool   `json:"enable"`
	IconColor   string `json:"iconColor"`
	Expr        string `json:"expr"`
	Step        string `json:"step"`
	TitleFormat string `json:"titleFormat"`
	TextFormat  string `json:"textFormat"`
}

// Variable is a choice at the top of a dashboard.
type Variable struct {
	Name       string `json:"name"`
	Label      string `json:"label,omitempty"`
	Type       string `json:"type"`
	Query      any    `json:"query"`
	Datasource any    `json:"datasource,omitempty"`
	Refresh    int    `json:"refresh,omitempty"`
	IncludeAll bool   `json:"includeAll,omitempty"`
	Multi      bool   `json:"multi,omitempty"`
	AllValue   string `json:"allValue,omitempty"`
}

// Panel is one picture.
type Panel struct {
	ID          int            `json:"id"`
	Type        string         `json:"type"`
	Title       string         `json:"title"`
	Description string         `json:"description,omitempty"`
	GridPos     GridPos        `json:"gridPos"`
	Datasource  any            `json:"datasource,omitempty"`
	Targets     []Target       `json:"targets,omitempty"`
	FieldConfig FieldConfig    `json:"fieldConfig"`
	Options     map[string]any `json:"options,omitempty"`

	// Devices says that the panel is empty until an exporter of devices is scraped.
	Devices bool `json:"-"`
}

// GridPos places a panel on Grafana's 24 columns.
type GridPos struct {
	H int `json:"h"`
	W int `json:"w"`
	X int `json:"x"`
	Y int `json:"y"`
}

// Target is one query of a panel.
type Target struct {
	RefID        string `json:"refId"`
	Datasource   any    `json:"datasource,omitempty"`
	Expr         string `json:"expr"`
	LegendFormat string `json:"legendFormat,omitempty"`
	Instant      bool   `json:"instant,omitempty"`
	Format       string `json:"format,omitempty"`
}

// FieldConfig holds units and thresholds.
type FieldConfig struct {
	Defaults  map[string]any `json:"defaults"`
	Overrides []any          `json:"overrides"`
}

var (
	prometheusSource = map[string]string{"type": "prometheus", "uid": "${datasource}"}
	curvesSource     = map[string]string{"type": "prometheus", "uid": "${curves}"}
	mixedSource      = map[string]string{"type": "datasource", "uid": "-- Mixed --"}
)

// All returns every dashboard.
func All() []Dashboard {
	return []Dashboard{Home(), Forecasts(), Network(), Logs(), Hardware(), Jobs()}
}

// JSON encodes d as Grafana imports it.
func (d Dashboard) JSON() ([]byte, error) {
	raw, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("dashboard %s: %w", d.UID, err)
	}
	return append(raw, '\n'), nil
}

// Queries returns the panel's PromQL with Grafana's variables replaced by what selects
// everything.
func (p Panel) Queries() []string {
	vars := strings.NewReplacer("$__rate_interval", "5m", "$__range", "1h",
		`"$instance"`, `".*"`, `"$mountpoint"`, `".*"`, `"$device"`, `".*"`, `"$target"`, `".*"`, `"$host"`, `".*"`)
	var out []string
	for _, t := range p.Targets {
		out = append(out, vars.Replace(t.Expr))
	}
	return out
}

// base is a dashboard with the variables that all of them share.
func base(uid, title, description string, panels []Panel) Dashboard {
	return Dashboard{
		UID: uid, Title: title, Description: description, Tags: []string{"inframind"}, Timezone: "browser",
		SchemaVersion: 39, Refresh: "30s", Time: TimeRange{"now-24h", "now"},
		Templating:  Templating{List: []Variable{source("datasource", "Data source"), many("instance", "Instance", "label_values(up, instance)")}},
		Annotations: Annotations{List: []Annotation{}},
		Panels:      layout(panels),
	}
}

// source lets people choose one of Grafana's Prometheus data sources.
func source(name, label string) Variable {
	return Variable{Name: name, Label: label, Type: "datasource", Query: "prometheus"}
}

// one is a variable of which one value is chosen, many one of which several or all are.
func one(name, label, query string) Variable {
	return Variable{Name: name, Label: label, Type: "query", Datasource: prometheusSource, Refresh: 2, Query: query}
}

func many(name, label, query string) Variable {
	v := one(name, label, query)
	v.IncludeAll, v.Multi, v.AllValue = true, true, ".*"
	return v
}

// layout numbers the panels and flows them over the 24 columns, by their width and height.
func layout(panels []Panel) []Panel {
	x, y, rowHeight := 0, 0, 0
	for i := range panels {
		p := &panels[i]
		p.ID = i + 1
		if x+p.GridPos.W > 24 {
			x, y, rowHeight = 0, y+rowHeight, 0
		}
		p.GridPos.X, p.GridPos.Y = x, y
		x += p.GridPos.W
		rowHeight = max(rowHeight, p.GridPos.H)
		if p.Datasource == nil {
			p.Datasource = prometheusSource
		}
		for j := range p.Targets {
			p.Targets[j].RefID = string(rune('A' + j))
		}
		if p.FieldConfig.Overrides == nil {
			p.FieldConfig.Overrides = []any{}
		}
	}
	return panels
}

// stat is a single number; above warn it is orange, above crit red. Both 0: never.
func stat(title, description, unit string, warn, crit float64, expr string) Panel {
	steps := []map[string]any{{"color": "green", "value": nil}}
	if warn != 0 || crit != 0 {
		steps = append(steps, map[string]any{"color": "orange", "value": warn}, map[string]any{"color": "red", "value": crit})
	}
	return Panel{
		Type: "stat", Title: title, Description: description, GridPos: GridPos{H: 4, W: 4},
		Targets: []Target{{Expr: expr, Instant: true}},
		FieldConfig: FieldConfig{Defaults: map[string]any{
			"unit": unit, "thresholds": map[string]any{"mode": "absolute", "steps": steps},
		}},
		Options: map[string]any{"reduceOptions": map[string]any{"calcs": []string{"lastNotNull"}}, "graphMode": "none", "colorMode": "value"},
	}
}

// series is a picture over time.
func series(title, description, unit string, targets ...Target) Panel {
	return Panel{
		Type: "timeseries", Title: title, Description: description, GridPos: GridPos{H: 8, W: 12}, Targets: targets,
		FieldConfig: FieldConfig{Defaults: map[string]any{"unit": unit, "custom": map[string]any{"fillOpacity": 8, "showPoints": "never"}}},
		Options:     map[string]any{"legend": map[string]any{"displayMode": "list", "placement": "bottom"}, "tooltip": map[string]any{"mode": "multi"}},
	}
}

// table shows the instant value of a query, one row a series.
func table(title, description, unit, expr string) Panel {
	return Panel{
		Type: "table", Title: title, Description: description, GridPos: GridPos{H: 8, W: 12},
		Targets:     []Target{{Expr: expr, Instant: true, Format: "table"}},
		FieldConfig: FieldConfig{Defaults: map[string]any{"unit": unit}},
		Options:     map[string]any{"sortBy": []map[string]any{{"displayName": "Value", "desc": false}}},
	}
}

func query(expr, legend string) Target { return Target{Expr: expr, LegendFormat: legend} }
