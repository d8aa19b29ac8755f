// Package pushgateway runs the real Pushgateway inside this process. What was pushed is on
// disk before the push is acknowledged.
package pushgateway

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/route"
	api "github.com/prometheus/pushgateway/api/v1"
	"github.com/prometheus/pushgateway/asset"
	"github.com/prometheus/pushgateway/handler"
	"github.com/prometheus/pushgateway/storage"
	"google.golang.org/protobuf/encoding/protodelim"

	"github.com/inframind/inframind/cmd/inframind/durable"
	"github.com/inframind/inframind/internal/job"
)

const (
	// maxBody bounds one push, before and after decompression.
	maxBody = 64 << 20
	// never is the store's own interval between writes: this package writes instead.
	never = 100 * 365 * 24 * time.Hour
)

// Options say where the pushed metrics are kept and how the gateway is reached.
type Options struct {
	File    string // keeps the pushed metrics
	Prefix  string // URL path without trailing slash
	Version string
	Log     *slog.Logger
}

// Server is one Pushgateway. Make it with New, stop it with Close.
type Server struct {
	opts    Options
	log     *slog.Logger
	store   *storage.DiskMetricStore
	saving  sync.Mutex // one write of the file at a time
	handler http.Handler
}

// New restores what was pushed before. A damaged file is an error that names it: the store
// alone would log it and overwrite the file with the next push.
func New(o Options) (*Server, error) {
	if err := checkFile(o.File); err != nil {
		return nil, err
	}
	s := &Server{opts: o, log: o.Log, store: storage.NewDiskMetricStore(o.File, never, prometheus.NewRegistry(), o.Log)}
	s.handler = s.routes()
	return s, nil
}

func checkFile(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("pushed metrics: %w", err)
	}
	defer func() { _ = f.Close() }() // opened for reading only
	var groups storage.GroupingKeyToMetricGroup
	if err := gob.NewDecoder(f).Decode(&groups); err != nil {
		return fmt.Errorf("pushed metrics %s are damaged: %w (move the file away to start without them)", path, err)
	}
	return nil
}

// Handler serves the push API, the status page and /metrics under Options.Prefix.
func (s *Server) Handler() http.Handler { return s.handler }

// Close writes the metrics to disk and ends the store.
func (s *Server) Close() error {
	if err := s.store.Shutdown(); err != nil {
		return fmt.Errorf("pushed metrics: %w", err)
	}
	return nil
}

func (s *Server) routes() http.Handler {
	prefix, flags := s.opts.Prefix, map[string]string{}
	r := route.New()
	r.Get(prefix+"/-/healthy", handler.Healthy(s.store).ServeHTTP)
	r.Get(prefix+"/-/ready", handler.Ready(s.store).ServeHTTP)
	pushed := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return s.store.GetMetricFamilies(), nil })
	r.Get(prefix+"/metrics", promhttp.HandlerFor(pushed, promhttp.HandlerOpts{}).ServeHTTP)
	for _, suffix := range []string{"", handler.Base64Suffix} {
		b64 := suffix == handler.Base64Suffix
		for _, path := range []string{prefix + "/metrics/job" + suffix + "/:job/*labels", prefix + "/metrics/job" + suffix + "/:job"} {
			r.Put(path, s.push(handler.Push(s.store, true, true, b64, s.log)))
			r.Post(path, s.push(handler.Push(s.store, false, true, b64, s.log)))
			r.Del(path, handler.Delete(s.store, b64, s.log))
		}
	}
	r.Get(prefix+"/static/*filepath", handler.Static(asset.Assets, prefix).ServeHTTP)
	status := handler.Status(s.store, asset.Assets, flags, prefix, s.log)
	r.Get(prefix+"/status", status.ServeHTTP)
	r.Get(prefix+"/", status.ServeHTTP)

	apiRouter := route.New()
	api.New(s.log, s.store, flags, map[string]string{"version": s.opts.Version}).Register(apiRouter)
	mux := http.NewServeMux()
	mux.Handle("/", r)
	mux.Handle(prefix+"/api/v1/", http.StripPrefix(prefix+"/api/v1", apiRouter))
	return mux
}

// push decodes the body, lets next store it, and saves the store before it answers.
func (s *Server) push(next http.HandlerFunc) http.HandlerFunc {
	saved := durable.Handler(next, s.save, s.log)
	return func(w http.ResponseWriter, r *http.Request) {
		if err := normalize(w, r); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		saved.ServeHTTP(w, r)
	}
}

// save writes the store in the store's own format, so that its constructor reads it.
func (s *Server) save() error {
	s.saving.Lock()
	defer s.saving.Unlock()
	var buf bytes.Buffer
	if err := gob.NewEncoder(&buf).Encode(s.store.GetMetricFamiliesMap()); err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	return job.SaveFile(s.opts.File, buf.Bytes())
}

// normalize decompresses the body and turns the text format into delimited protobuf:
// Pushgateway's own text parser is made without a name validation scheme and panics.
func normalize(w http.ResponseWriter, r *http.Request) error {
	var body io.Reader = http.MaxBytesReader(w, r.Body, maxBody)
	switch r.Header.Get("Content-Encoding") {
	case "gzip":
		zr, err := gzip.NewReader(body)
		if err != nil {
			return fmt.Errorf("gzip: %w", err)
		}
		body = zr
	case "snappy":
		body = snappy.NewReader(body)
	}
	body = http.MaxBytesReader(w, io.NopCloser(body), maxBody)
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/vnd.google.protobuf") {
		r.Body = io.NopCloser(body)
		return nil
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(body)
	if err != nil {
		return err
	}
	var buf bytes.Buffer
	for _, mf := range families {
		if _, err := protodelim.MarshalTo(&buf, mf); err != nil {
			return err
		}
	}
	r.Body = io.NopCloser(&buf)
	r.Header.Set("Content-Type", "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited")
	return nil
}
