package classify

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestReviewCall(t *testing.T) {
	s, dir := openStore(t), t.TempDir()
	put(t, s, doc(1, "a", "zorp frobnicated quux 12"))
	e, err := New(Config{Review: Review{Confidence: 1}}, Options{Store: s, StateDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.RunOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	h := e.Handler()
	do := func(method, path, contentType, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Content-Type", contentType)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	var list []Pending
	if w := do("GET", "/review?n=5", "", ""); w.Code != http.StatusOK || json.Unmarshal(w.Body.Bytes(), &list) != nil || len(list) != 1 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	id := list[0].ID
	for name, tc := range map[string]struct {
		contentType, body string
		want              int
	}{
		"form of another site": {"text/plain", `{"template_id":"` + id + `","category":"noise"}`, http.StatusUnsupportedMediaType},
		"unknown category":     {"application/json", `{"template_id":"` + id + `","category":"bad"}`, http.StatusBadRequest},
		"unknown template":     {"application/json", `{"template_id":"x","category":"noise"}`, http.StatusNotFound},
		"no JSON":              {"application/json", `{`, http.StatusBadRequest},
		"too long":             {"application/json", `"` + strings.Repeat("x", 1<<17) + `"`, http.StatusBadRequest},
	} {
		if w := do("POST", "/review", tc.contentType, tc.body); w.Code != tc.want {
			t.Errorf("%s: %d %s, want %d", name, w.Code, w.Body, tc.want)
		}
	}
	if w := do("POST", "/review", "application/json", `{"template_id":"`+id+`","category":"noise","by":"alice"}`); w.Code != http.StatusNoContent {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	got, err := ReadReviewed(labelPath(dir))
	if err != nil || len(got) != 1 || got[0].By != "alice" || got[0].Category.String() != "noise" || got[0].Predicted == "" {
		t.Errorf("%+v %v", got, err)
	}
	if w := do("GET", "/review?n=x", "", ""); w.Code != http.StatusBadRequest {
		t.Errorf("n=x: %d", w.Code)
	}
}
