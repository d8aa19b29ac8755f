package scorer

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/inframind/inframind/internal/logstore"
)

// ErrUnknown says that no finding or connection has the id.
var ErrUnknown = errors.New("no finding or connection has this id")

// Judge stores what a person said of a finding or connection. It counts from the next run
// on. It is safe to call while RunOnce works.
func (e *Engine) Judge(ctx context.Context, id string, right bool) error {
	j := Judgement{ID: id, Right: right, Time: e.opts.Now().UTC()}
	if id == "" {
		return ErrNoID
	}
	if e.opts.Store != nil {
		d, ok, err := e.opts.Store.Get(ctx, logstore.IndexAnomalies, id)
		if err != nil {
			return err
		}
		if !ok {
			return ErrUnknown
		}
		j.About(d)
	}
	e.judging.Lock()
	defer e.judging.Unlock()
	f, err := OpenFeedback(e.opts.StateDir)
	if err != nil {
		return err
	}
	return f.Add(j)
}

// About takes from a document what tells later ones of the same behaviour.
func (j *Judgement) About(d logstore.Document) {
	get := func(names ...string) string {
		for _, n := range names {
			if s, ok := d.Fields[n].(string); ok && s != "" {
				return s
			}
		}
		return ""
	}
	j.Detector = get("anomaly.detector")
	j.Source, j.Destination, j.Service = get("anomaly.source", "source.ip"), get("anomaly.destination", "destination.ip"), get("anomaly.service")
	if s, ok := d.Fields["anomaly.evidence"].(float64); ok {
		j.Score = s
	}
}

// Handler serves POST /api/v1/feedback, with {"id": "...", "right": true}, and
// GET /-/healthy.
func (e *Engine) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/feedback", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			ID    string `json:"id"`
			Right *bool  `json:"right"`
		}
		dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4096))
		if err := dec.Decode(&in); err != nil || in.ID == "" || in.Right == nil {
			http.Error(w, `want {"id": "...", "right": true or false}`, http.StatusBadRequest)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), 10*time.Second)
		defer cancel()
		err := e.Judge(ctx, in.ID, *in.Right)
		switch {
		case errors.Is(err, ErrUnknown):
			http.Error(w, err.Error(), http.StatusNotFound)
		case err != nil:
			e.opts.Log.Error("feedback not stored", "id", in.ID, "err", err)
			http.Error(w, "not stored", http.StatusInternalServerError)
		default:
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"status":"success"}` + "\n")) // the client may be gone
		}
	})
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("ok\n")) // the client may be gone
	})
	return mux
}

// readFeedback takes in what was judged since the last run.
func (e *Engine) readFeedback() error {
	e.judging.Lock()
	defer e.judging.Unlock()
	f, err := OpenFeedback(e.opts.StateDir)
	if err != nil {
		return err
	}
	e.feed = f
	return nil
}
