package classify

import (
	"encoding/json"
	"mime"
	"net/http"
	"strconv"

	"github.com/inframind/inframind/log-classifier/label"
)

// Handler serves the review call for a console:
//
//	GET  /review?n=20   templates that wait for a label, most useful first
//	POST /review        {"template_id":"...","category":"warning","by":"alice"}
func (e *Engine) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /review", e.getReview)
	mux.HandleFunc("POST /review", e.postReview)
	return mux
}

func (e *Engine) getReview(w http.ResponseWriter, r *http.Request) {
	n := 20
	if q := r.URL.Query().Get("n"); q != "" {
		v, err := strconv.Atoi(q)
		if err != nil || v < 1 || v > 1000 {
			http.Error(w, "n: want 1 to 1000", http.StatusBadRequest)
			return
		}
		n = v
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(e.Pending(n)); err != nil {
		e.opt.Log.Debug("review list not sent", "err", err)
	}
}

func (e *Engine) postReview(w http.ResponseWriter, r *http.Request) {
	// Other content types can be sent by any web page a reviewer visits.
	if mt, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || mt != "application/json" {
		http.Error(w, "want Content-Type: application/json", http.StatusUnsupportedMediaType)
		return
	}
	var in struct {
		TemplateID string `json:"template_id"`
		Category   string `json:"category"`
		By         string `json:"by"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&in); err != nil {
		http.Error(w, "body: "+err.Error(), http.StatusBadRequest)
		return
	}
	c, err := label.Parse(in.Category)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if e.known(in.TemplateID) == nil {
		http.Error(w, "template is unknown", http.StatusNotFound)
		return
	}
	if err := e.Review(in.TemplateID, c, in.By); err != nil {
		e.opt.Log.Error("review not stored", "err", err)
		http.Error(w, "label could not be stored", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
