package classify

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/inframind/inframind/log-classifier/logline"
	"github.com/inframind/inframind/log-classifier/mine"
)

// maxPipeLine is how long a line may be; the rest of a longer one is dropped.
const maxPipeLine = 1 << 20

// PipeOptions say how Pipe reads and answers.
type PipeOptions struct {
	Threshold    float64 // confidence below which ml_review is set
	MessageField string  // of JSON lines; "" tries the usual ones
	Join         bool    // put stack traces together: one answer an event instead of one a line
	HoldLines    int     // answers held back at most; default 50,000
	// HoldFor is how long Pipe waits for more input before it answers; default 100 ms.
	HoldFor time.Duration
}

func (o *PipeOptions) defaults() {
	if o.HoldLines <= 0 {
		o.HoldLines = 50_000
	}
	if o.HoldFor <= 0 {
		o.HoldFor = 100 * time.Millisecond
	}
}

// holdBytes bounds the lines held back, however few they are.
const holdBytes = 32 << 20

// heldLine is a line and what was said of it when it came.
type heldLine struct {
	logline.Line
	v *Verdict
}

// pipe is one run of Pipe.
type pipe struct {
	l      *Labeler
	out    *bufio.Writer
	opt    PipeOptions
	held   []heldLine
	size   int
	joiner logline.Joiner
	traces traces
	buf    []byte
	now    time.Time // the lines came
}

// Pipe labels lines from r and writes one JSON object for each to w, in order. While input
// keeps coming, answers are held back for up to HoldLines lines, so that what these lines teach
// about templates that merge and about the mix of categories is in all of their answers; as
// soon as input pauses they are written.
func Pipe(ctx context.Context, l *Labeler, r io.Reader, w io.Writer, o PipeOptions) (lines int, err error) {
	o.defaults()
	p := &pipe{l: l, out: bufio.NewWriterSize(w, 1<<16), opt: o, traces: newTraces()}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	in := read(ctx, r)
	pause := time.NewTimer(o.HoldFor)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return lines, errors.Join(ctx.Err(), p.flush())
		case <-pause.C:
			err = p.flush()
		case b, ok := <-in:
			if !ok {
				p.end()
				return lines, p.flush()
			}
			p.now = time.Now()
			for _, line := range b.lines {
				lines++
				p.add(line)
			}
			if b.err != nil {
				return lines, errors.Join(fmt.Errorf("read: %w", b.err), p.flush())
			}
			if len(p.held) >= o.HoldLines || p.size >= holdBytes {
				err = p.flush()
			}
			pause.Reset(o.HoldFor)
		}
		if err != nil {
			return lines, err
		}
	}
}

// batch is what was read at once.
type batch struct {
	lines []string
	err   error
}

// read reads lines in the background until the input ends; an interrupted Pipe leaves it
// waiting for input that may never come, as reads cannot be interrupted.
func read(ctx context.Context, r io.Reader) <-chan batch {
	ch := make(chan batch, 4)
	go func() {
		defer close(ch)
		in := bufio.NewReaderSize(r, 1<<16)
		var buf []byte
		var b batch
		for {
			var err error
			buf, err = readLine(in, buf[:0])
			if len(buf) > 0 || err == nil {
				b.lines = append(b.lines, string(buf))
			}
			if err != nil && !errors.Is(err, io.EOF) {
				b.err = err
			}
			if err != nil || in.Buffered() == 0 || len(b.lines) >= 1000 {
				select {
				case ch <- b:
				case <-ctx.Done():
					return
				}
				b = batch{}
			}
			if err != nil {
				return
			}
		}
	}()
	return ch
}

// add takes one line in: its template is counted at once, its answer is held back.
func (p *pipe) add(line string) {
	x := logline.Parse(line, p.opt.MessageField)
	if !p.opt.Join {
		p.take(x)
	} else if event, ok := p.joiner.Add(x); ok {
		p.take(event)
	}
}

func (p *pipe) take(x logline.Line) {
	v, _ := p.l.Label(&x, x.Service)
	v.Template.Seen(p.now, mine.Origin{Host: x.Host, Service: x.Service, Level: x.Level}, x.Message)
	p.held = append(p.held, heldLine{x, v})
	p.size += len(x.Message)
}

func (p *pipe) end() {
	if event, ok := p.joiner.Flush(); ok {
		p.take(event)
	}
}

// flush writes the answers held back.
func (p *pipe) flush() error {
	for i := range p.held {
		x := &p.held[i].Line
		v := p.l.Current(p.held[i].v)
		v = p.traces.follow(v, x.Message, x.Host+"\x00"+x.Service)
		p.buf = p.l.appendAnswer(p.buf[:0], v, v.Confidence < p.opt.Threshold, x)
		if _, err := p.out.Write(p.buf); err != nil {
			return fmt.Errorf("write: %w", err)
		}
	}
	p.held, p.size = p.held[:0], 0
	if err := p.out.Flush(); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// readLine appends one line without its end to buf. What is beyond maxPipeLine is dropped.
func readLine(r *bufio.Reader, buf []byte) ([]byte, error) {
	for {
		part, err := r.ReadSlice('\n')
		if room := maxPipeLine - len(buf); room > 0 {
			buf = append(buf, part[:min(len(part), room)]...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		return bytes.TrimRight(buf, "\r\n"), err
	}
}
