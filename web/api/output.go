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
	// gzipFrom is the size in bytes from which an answer is compressed. A smaller answer fits into one packet anyway.
	gzipFrom = 1400
	// wholeUpTo is the size in bytes up to which an answer is sent at once, with its length. Longer answers are sent in parts.
	wholeUpTo = 64 << 10
)

// A listAnswer is an answer with many elements, for example a million. They are encoded while the answer is sent.
type listAnswer struct {
	head     string // the JSON before the elements
	elements iter.Seq[any]
	tail     string // the JSON after the elements
}

// An output receives the body of an answer and sends it in parts of the size of its buffer, so that answers of any size need
// the same memory, and encoding waits for slow clients.
type output struct {
	w        http.ResponseWriter
	status   int
	kind     string // the media type
	compress bool   // the client accepts gzip
	buffer   bytes.Buffer
	sent     io.Writer     // receives the body; nil while all of it is in the buffer
	long     chan struct{} // has one element for each long answer in progress
	begun    bool          // this is a long answer, with an element in long
	zipper   *gzip.Writer
}

// Write implements io.Writer. It returns an error if the client has gone, and a [statusError] if there are too many long
// answers; in that case nothing has been sent.
func (o *output) Write(p []byte) (int, error) {
	o.buffer.Write(p)
	if o.buffer.Len() <= wholeUpTo {
		return len(p), nil
	}
	if o.sent == nil {
		if o.begun = o.mayBeLong(); !o.begun {
			return 0, unavailable("%d long answers are in progress already: ask for less with the parameter limit, or retry later", maxLong)
		}
		o.begin(-1)
	}
	_, err := o.buffer.WriteTo(o.sent)
	return len(p), err
}

// mayBeLong adds this answer to the long answers, and reports whether there was room.
func (o *output) mayBeLong() bool {
	select {
	case o.long <- struct{}{}:
		return true
	default:
		return false
	}
}

// begin sends the header for a body of this size, or of an unknown size if it is -1.
func (o *output) begin(size int) {
	h := o.w.Header()
	h.Set("Content-Type", o.kind)
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "Accept-Encoding")
	o.sent = o.w
	if o.compress && (size < 0 || size >= gzipFrom) {
		h.Set("Content-Encoding", "gzip")
		o.zipper, _ = gzip.NewWriterLevel(o.w, gzip.BestSpeed) // This level is valid.
		o.sent = o.zipper
	} else if size >= 0 {
		h.Set("Content-Length", strconv.Itoa(size))
	}
	o.w.WriteHeader(o.status)
}

// end sends the rest of an answer that was written without an error.
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

// leave removes this answer from the long answers.
func (o *output) leave() {
	if o.begun {
		<-o.long
	}
}

// writeJSON writes an answer as JSON on one line.
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
	encoder.SetEscapeHTML(false) // Browsers never take the answer for HTML, because its media type is set and must not be guessed.
	return encoder
}
