package main

import (
	"maps"

	"github.com/inframind/inframind/anomaly-scorer/scorer"
	"github.com/inframind/inframind/internal/logstore"
	"github.com/inframind/inframind/internal/logstore/elastic"
)

// openStore connects to where anomalies are kept; nil when nothing is configured.
func openStore(cfg scorer.Config) (logstore.Store, error) {
	if cfg.Elastic == nil {
		return nil, nil
	}
	conf := *cfg.Elastic
	if cfg.Zeek.Index != "" {
		conf.Read = maps.Clone(conf.Read)
		if conf.Read == nil {
			conf.Read = map[string]string{}
		}
		conf.Read[scorer.IndexZeek] = cfg.Zeek.Index
	}
	s, err := elastic.New(conf)
	if err != nil {
		return nil, err
	}
	return s, nil
}
