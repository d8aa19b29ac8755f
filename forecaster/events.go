package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/inframind/inframind/forecaster/model"
	"github.com/inframind/inframind/internal/cli"
)

// readEvents reads a CSV file with the header name,from,to. Occurrences of one name share
// their effect; those that lie ahead are forecast with it.
func readEvents(path string) (out []model.Event, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, cli.Usage(err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	recs, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(recs) == 0 || !slices.Equal(recs[0], []string{"name", "from", "to"}) {
		return nil, fmt.Errorf("%s: want the header name,from,to", path)
	}
	for i, rec := range recs[1:] {
		e := model.Event{Name: rec[0]}
		var ferr, terr error
		e.From, ferr = time.Parse(time.RFC3339, rec[1])
		e.To, terr = time.Parse(time.RFC3339, rec[2])
		if err := errors.Join(ferr, terr); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, i+2, err)
		}
		if !e.To.After(e.From) {
			return nil, fmt.Errorf("%s:%d: %s ends before it begins", path, i+2, e.Name)
		}
		out = append(out, e)
	}
	return out, nil
}
