package api

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"iter"
	"net/http"
	"strconv"
)

const (
	// gzipFrom is the size in bytes from which an answer is compressed: a smaller one fits in one packet anyway.
	gzipFrom = 1400
	// wholeUpTo is the size in bytes up to which an answer is sent as a whole, with its length.
	wholeUpTo = 64 << 10
)

// A listAnswer is an answer with many elements, which are made while it is written: there may be a million.
type listAnswer struct {
	head     string // what stands before the elements, as JSON
	elements iter.Seq[any]
	tail     string // what stands behind them
}

// An output takes the body of an answer. It keeps no more of one than fits in a buffer: the rest is sent while it is made,
// so that answers of any size take the same memory, and no more than a slow client has room for is made ahead.
type output struct {
	w        http.ResponseWriter
	status   int
	kind     string // its media type
	compress bool   // the client takes gzip
	buffer   bytes.Buffer
	sent     io.Writer     // where the body goes, nil as long as it fits in the buffer
	long     chan struct{} // one element for each long answer in progress
	begun    bool          // this is one of them
	zipper   *gzip.Writer
}

// Write implements io.Writer. It gives an error when the client has gone, and a [statusError] when there are too many long
// answers: nothing has been sent then.
func (o *output) Write(p []byte) (int, error) {
	o.buffer.Write(p)
	if o.buffer.Len() <= wholeUpTo {
		return len(p), nil
	}
	if o.sent == nil {
		if o.begun = o.mayBeLong(); !o.begun {
			return 0, unavailable("%d long answers are in progress already: ask for a part with limit, or later", maxLong)
		}
		o.begin(-1)
	}
	_, err := o.buffer.WriteTo(o.sent)
	return len(p), err
}

// mayBeLong takes a place among the long answers, if there is one.
func (o *output) mayBeLong() bool {
	select {
	case o.long <- struct{}{}:
		return true
	default:
		return false
	}
}

// begin sends the header for a body of a size, -1: of one that is not known.
func (o *output) begin(size int) {
	h := o.w.Header()
	h.Set("Content-Type", o.kind)
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "Accept-Encoding")
	o.sent = o.w
	if o.compress && (size < 0 || size >= gzipFrom) {
		h.Set("Content-Encoding", "gzip")
		o.zipper, _ = gzip.NewWriterLevel(o.w, gzip.BestSpeed) // It can't fail: the level is a good one.
		o.sent = o.zipper
	} else if size >= 0 {
		h.Set("Content-Length", strconv.Itoa(size))
	}
	o.w.WriteHeader(o.status)
}

// end sends what is left after an answer was written without an error.
func (o *output) end() error {
	if o.sent == nil {
		o.begin(o.buffer.Len())
	}
	_, err := o.buffer.WriteTo(o.sent)
	if err == nil && o.zipper != nil {
		err = o.zipper.Close()
	}
	return err
}

// leave gives the place among the long answers back.
func (o *output) leave() {
	if o.begun {
		<-o.long
	}
}

// writeJSON writes an answer, on one line.
func (o *output) writeJSON(answer any) error {
	l, many := answer.(listAnswer)
	if !many {
		return newEncoder(o).Encode(answer)
	}
	if _, err := io.WriteString(o, l.head); err != nil {
		return err
	}
	var text bytes.Buffer // of one element, with the comma before it
	encoder := newEncoder(&text)
	for element := range l.elements {
		if err := encoder.Encode(element); err != nil {
			return err
		}
		if _, err := o.Write(bytes.TrimSuffix(text.Bytes(), []byte("\n"))); err != nil {
			return err
		}
		text.Reset()
		text.WriteByte(',')
	}
	_, err := io.WriteString(o, l.tail+"\n")
	return err
}

func newEncoder(w io.Writer) *json.Encoder {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false) // No browser takes it for HTML: its type is set and may not be guessed.
	return encoder
}
