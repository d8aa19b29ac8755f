package scorer

import (
	"bytes"
	"encoding/binary"
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
	Cursors     map[string]zeek.Cursor // by log
	StoreAfter  string                 // cursor in the log store, for documents of Filebeat
	Pipeline    []byte
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

const maxRecent = 20_000

// stateMagic begins the file; an xxhash of what follows comes next.
const stateMagic = "anomaly-scorer state 2\n"

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
	e.state = state{Cursors: map[string]zeek.Cursor{}, Recent: map[string]recent{}}
	e.pipe = NewPipeline(e.cfg, e.forest)
	if len(e.saved) == 0 {
		return nil
	}
	body, ok := bytes.CutPrefix(e.saved, []byte(stateMagic))
	if !ok {
		return errors.New("this is no state, or one of another version")
	}
	if len(body) < 8 || binary.LittleEndian.Uint64(body) != xxhash.Sum64(body[8:]) {
		return errors.New("the state is damaged: its checksum is wrong")
	}
	var s state
	if err := gob.NewDecoder(bytes.NewReader(body[8:])).Decode(&s); err != nil {
		return fmt.Errorf("decode the state: %w", err)
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
	var body bytes.Buffer
	if err := gob.NewEncoder(&body).Encode(e.state); err != nil {
		return fmt.Errorf("encode the state: %w", err)
	}
	file := binary.LittleEndian.AppendUint64([]byte(stateMagic), xxhash.Sum64(body.Bytes()))
	file = append(file, body.Bytes()...)
	if err := job.SaveFile(e.statePath(), file); err != nil {
		return err
	}
	e.saved = file
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
