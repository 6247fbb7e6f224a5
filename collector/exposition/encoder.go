package exposition

import (
	"bufio"
	"io"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// bufferSize is how much is handed on at a time, in bytes.
const bufferSize = 64 << 10

// An Encoder writes families in one format. It is for one goroutine.
type Encoder struct {
	w      *bufio.Writer
	format expfmt.Format
	others expfmt.Encoder
}

// NewEncoder makes an encoder for any format that client_golang knows. What is written is complete after
// [Encoder.Close].
func NewEncoder(w io.Writer, format expfmt.Format) *Encoder {
	buffer := bufio.NewWriterSize(w, bufferSize)
	return &Encoder{w: buffer, format: format, others: expfmt.NewEncoder(buffer, format)}
}

// Gathered writes a family that client_golang has gathered.
func (e *Encoder) Gathered(f *dto.MetricFamily) error { return e.others.Encode(f) }

// Family writes a family, or nothing if it has no series.
func (e *Encoder) Family(f *Family) error {
	kind := e.format.FormatType()
	switch {
	case kind == expfmt.TypeTextPlain:
		return e.textFamily(f, false)
	case kind == expfmt.TypeOpenMetrics && e.format.Version() != expfmt.OpenMetricsVersion_2_0_0:
		return e.textFamily(f, true)
	case kind == expfmt.TypeProtoDelim:
		return e.protoFamily(f)
	}
	// Formats for people, and one that is not settled yet.
	if gathered := f.DTO(); gathered != nil {
		return e.Gathered(gathered)
	}
	return nil
}

// Err gives the error of a write that has failed, after which nothing is written any more.
func (e *Encoder) Err() error {
	_, err := e.w.Write(nil)
	return err
}

// Close ends the text as the format wants it ended.
func (e *Encoder) Close() error {
	if closer, ok := e.others.(expfmt.Closer); ok {
		if err := closer.Close(); err != nil {
			return err
		}
	}
	return e.w.Flush()
}

// room gives an empty slice of the buffer that takes n bytes if the buffer ever can, to be written after appending.
func (e *Encoder) room(n int) []byte {
	if e.w.Available() < n {
		_ = e.w.Flush() // An error comes again with the next write.
	}
	return e.w.AvailableBuffer()
}
