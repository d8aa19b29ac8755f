package scorer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/inframind/inframind/internal/logstore"
	"github.com/inframind/inframind/internal/zeek"
)

// readStore judges the connections that Filebeat's Zeek module put into the log store
// since the last run.
func (r *run) readStore(ctx context.Context) error {
	e := r.e
	if e.opts.Store == nil || e.cfg.Zeek.Index == "" {
		return nil
	}
	for {
		q := logstore.Query{Index: IndexZeek, After: e.state.StoreAfter, Limit: 5000}
		page, err := e.opts.Store.Read(ctx, q)
		if err != nil {
			return fmt.Errorf("read %s: %w", q.Index, err)
		}
		for i := range page.Documents {
			if err := r.document(&page.Documents[i]); err != nil {
				return err
			}
		}
		if len(page.Documents) == 0 || page.Next == e.state.StoreAfter {
			return nil
		}
		e.state.StoreAfter = page.Next
	}
}

func (r *run) document(d *logstore.Document) error {
	d.Fields["@timestamp"] = d.Time.UTC().Format(time.RFC3339Nano)
	at := zeek.Origin{Path: d.ID}
	var c zeek.Conn
	err := zeek.ConnFromECS(d.Fields, &c)
	if err == nil {
		r.conn(&c, at)
		return nil
	}
	if errors.Is(err, zeek.ErrOtherRecord) {
		var a zeek.App
		k, appErr := zeek.AppFromECS(d.Fields, &a)
		if err = appErr; err == nil {
			r.result.Read++
			r.e.pipe.App(&a, k, at)
			return nil
		}
	}
	if errors.Is(err, zeek.ErrOtherRecord) {
		r.result.Skipped++
		return nil
	}
	r.result.Failed++
	return r.dead.add(at.String(), err.Error(), []byte(d.Message))
}
