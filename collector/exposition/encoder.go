package exposition

import (
	"bufio"
	"io"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// bufferSize is how much is written at a time, in bytes.
const bufferSize = 64 << 10

// An Encoder writes families in one format. It must not be used concurrently.
type Encoder struct {
	w      *bufio.Writer
	format expfmt.Format
	others expfmt.Encoder
}

// NewEncoder returns an encoder for any format that client_golang has. The text is complete after [Encoder.Close].
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
	// Formats for debugging, and OpenMetrics 2.0, which is not final yet.
	if gathered := f.DTO(); gathered != nil {
		return e.Gathered(gathered)
	}
	return nil
}

// Err returns the error of the first write that failed. Nothing is written after it.
func (e *Encoder) Err() error {
	_, err := e.w.Write(nil)
	return err
}

// Close writes the end that the format requires, and flushes.
func (e *Encoder) Close() error {
	if closer, ok := e.others.(expfmt.Closer); ok {
		if err := closer.Close(); err != nil {
			return err
		}
	}
	return e.w.Flush()
}

// room returns an empty slice of the buffer, with a capacity of n bytes if the buffer is that large. The caller appends to
// it and writes it.
func (e *Encoder) room(n int) []byte {
	if e.w.Available() < n {
		_ = e.w.Flush() // The next write returns the error again.
	}
	return e.w.AvailableBuffer()
}
