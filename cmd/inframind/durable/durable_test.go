package durable

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAnswerWaitsForTheDisk(t *testing.T) {
	for _, tc := range []struct {
		name   string
		code   int
		err    error
		saves  int
		answer int
		body   string
	}{
		{"saved", 201, nil, 1, 201, "done"},
		{"refused changes nothing", 400, nil, 0, 400, "done"},
		{"disk full", 200, errors.New("no space left on device"), 1, 500, "could not be saved: no space left"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			saves := 0
			rec := httptest.NewRecorder()
			h := Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-From", "next")
				w.WriteHeader(tc.code)
				fmt.Fprint(w, "done")
			}), func() error {
				if saves++; rec.Body.Len() > 0 {
					t.Error("answered before it was saved")
				}
				return tc.err
			}, slog.New(slog.DiscardHandler))
			h.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/x", nil))
			if saves != tc.saves || rec.Code != tc.answer || !strings.Contains(rec.Body.String(), tc.body) || rec.Header().Get("X-From") != "next" {
				t.Errorf("%d saves, status %d, body %q", saves, rec.Code, rec.Body)
			}
		})
	}
}
