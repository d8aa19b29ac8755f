package scorer

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/inframind/inframind/anomaly-scorer/detect"
	"github.com/inframind/inframind/internal/job"
	"github.com/inframind/inframind/internal/zeek"
)

// state is what is remembered between runs, in one file, so that the place in the logs and
// what was learned from them cannot disagree.
type state struct {
	Version     int
	Cursors     map[string]zeek.Cursor // by log
	StoreAfter  string                 // cursor in the log store, for documents of Filebeat
	Pipeline    []byte
	Sum         uint64            // xxhash of Pipeline
	Recent      map[string]recent // findings of late, by id
	LastSuccess time.Time
	LastTrained time.Time
}

// recent is what the gauges need of a finding.
type recent struct {
	Detector string
	Severity detect.Severity
	Source   string
	Score    float64
	End      time.Time
}

const (
	stateVersion = 2
	maxRecent    = 20_000
)

func (e *Engine) statePath() string { return filepath.Join(e.opts.StateDir, "state.gob") }

// restore reads the state and what belongs beside it.
func (e *Engine) restore() error {
	if err := e.readFeedback(); err != nil {
		return err
	}
	raw, err := os.ReadFile(e.statePath())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("state: %w", err)
	}
	e.saved = raw
	if err := e.goBack(); err != nil {
		return fmt.Errorf("%s: %w (move it away to start afresh)", e.statePath(), err)
	}
	e.metrics.RestoreSuccess(e.state.LastSuccess)
	return nil
}

// goBack forgets what happened since the last save.
func (e *Engine) goBack() error {
	e.state = state{Version: stateVersion, Cursors: map[string]zeek.Cursor{}, Recent: map[string]recent{}}
	e.pipe = NewPipeline(e.cfg, e.forest)
	if len(e.saved) == 0 {
		return nil
	}
	var s state
	if err := gob.NewDecoder(bytes.NewReader(e.saved)).Decode(&s); err != nil {
		return fmt.Errorf("the state is damaged: %w", err)
	}
	if s.Version != stateVersion {
		return fmt.Errorf("the state has format %d, this program reads %d", s.Version, stateVersion)
	}
	if s.Sum != xxhash.Sum64(s.Pipeline) {
		return errors.New("the state is damaged: its checksum is wrong")
	}
	if s.Cursors == nil {
		s.Cursors = map[string]zeek.Cursor{}
	}
	if s.Recent == nil {
		s.Recent = map[string]recent{}
	}
	e.state = s
	return e.pipe.Load(s.Pipeline)
}

func (e *Engine) save() error {
	e.state.LastSuccess = e.opts.Now()
	var err error
	if e.state.Pipeline, err = e.pipe.Save(); err != nil {
		return err
	}
	e.state.Sum = xxhash.Sum64(e.state.Pipeline)
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(e.state); err != nil {
		return fmt.Errorf("encode the state: %w", err)
	}
	if err := job.SaveFile(e.statePath(), b.Bytes()); err != nil {
		return err
	}
	e.saved = b.Bytes()
	return nil
}

// deadLetters keeps lines and documents that could not be used, for a person to look at.
type deadLetters struct {
	path string
	file *os.File
	size int64
	n    int
}

// maxDeadLetters bounds the file; what is older is kept once, as .1.
const maxDeadLetters = 32 << 20

func (d *deadLetters) add(where, why string, text []byte) error {
	if d.file == nil {
		f, err := os.OpenFile(d.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640)
		if err != nil {
			return fmt.Errorf("dead letters: %w", err)
		}
		st, err := f.Stat()
		if err != nil {
			return errors.Join(fmt.Errorf("dead letters: %w", err), f.Close())
		}
		d.file, d.size = f, st.Size()
	}
	d.n++
	n, err := fmt.Fprintf(d.file, "%s\t%s\t%q\n", where, why, text)
	d.size += int64(n)
	if err != nil {
		return fmt.Errorf("dead letters: %w", err)
	}
	if d.size < maxDeadLetters {
		return nil
	}
	if err := d.close(); err != nil {
		return err
	}
	return os.Rename(d.path, d.path+".1")
}

func (d *deadLetters) close() error {
	if d.file == nil {
		return nil
	}
	err := d.file.Close()
	d.file = nil
	return err
}
