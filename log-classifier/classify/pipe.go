package classify

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/inframind/inframind/log-classifier/logline"
)

// maxPipeLine is how long a line may be; the rest of a longer one is dropped.
const maxPipeLine = 1 << 20

// PipeOptions say how Pipe reads and answers.
type PipeOptions struct {
	Threshold    float64 // confidence below which ml_review is set
	MessageField string  // of JSON lines; "" tries the usual ones
	Join         bool    // put stack traces together: one answer an event instead of one a line
}

// Pipe labels lines from r and writes one JSON object for each to w, in order, as they come:
// the output is flushed whenever no further input is at hand.
func Pipe(ctx context.Context, l *Labeler, r io.Reader, w io.Writer, o PipeOptions) (lines int, err error) {
	in, out := bufio.NewReaderSize(r, 1<<16), bufio.NewWriterSize(w, 1<<16)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	answer := func(text string) error {
		p := logline.Parse(text, o.MessageField)
		v, _ := l.Label(p.Message)
		v.Template.Seen(time.Now(), p.Host, p.Message)
		return enc.Encode(v.record(v.Confidence < o.Threshold))
	}
	var joiner logline.Joiner
	var buf []byte
	for ctx.Err() == nil {
		var rerr error
		buf, rerr = readLine(in, buf[:0])
		event, whole := string(buf), len(buf) > 0 || rerr == nil
		if whole {
			lines++
		}
		if o.Join && whole {
			event, whole = joiner.Add(event)
		}
		if whole {
			err = answer(event)
		}
		if rerr != nil {
			if event, ok := joiner.Flush(); ok {
				err = errors.Join(err, answer(event))
			}
		}
		if rerr != nil || in.Buffered() == 0 {
			err = errors.Join(err, out.Flush())
		}
		switch {
		case err != nil:
			return lines, fmt.Errorf("write: %w", err)
		case errors.Is(rerr, io.EOF):
			return lines, nil
		case rerr != nil:
			return lines, fmt.Errorf("read: %w", rerr)
		}
	}
	return lines, errors.Join(ctx.Err(), out.Flush())
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
