package web

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"servicegroup_exporter/collector/exposition"
	"servicegroup_exporter/drivers"
	"servicegroup_exporter/web/negotiate"
)

// A metricsHandler writes the metrics. It does what promhttp's handler does, and also takes families that never pass a
// Gatherer, see [Options.Families]: encoding those costs a fraction of gathering and encoding them (docs/evaluation.md).
// client_golang has no way to add such families to its own handler.
//
// Concurrent scrapes don't share a gather: a scrape that joined the gather of another could get values from before its own
// poll.
type metricsHandler struct {
	logger    *slog.Logger
	gatherer  prometheus.Gatherer
	families  func() []exposition.Family
	formats   []expfmt.Format
	failures  *prometheus.CounterVec
	gathering drivers.LastingError // gathering fails
	zippers   sync.Pool            // of *gzip.Writer
}

func newMetricsHandler(o Options) (*metricsHandler, error) {
	h := &metricsHandler{
		logger: o.Logger, gatherer: o.Gatherer, families: o.Families,
		formats: expfmt.DefaultOpenMetricsAcceptedFormats(),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{ // The name and the help are promhttp's.
			Name: "promhttp_metric_handler_errors_total",
			Help: "Total number of internal errors encountered by the promhttp metric handler.",
		}, []string{"cause"}),
		zippers: sync.Pool{New: func() any { return newZipper() }},
	}
	if h.families == nil {
		h.families = func() []exposition.Family { return nil }
	}
	h.failures.WithLabelValues("gathering")
	h.failures.WithLabelValues("encoding")
	if err := o.Registerer.Register(h.failures); err != nil {
		return nil, fmt.Errorf("registering the metrics of the scrape handler: %w", err)
	}
	return h, nil
}

// newZipper returns a writer with the fastest level. On metrics the default level takes four times as long for an answer
// that is a tenth shorter.
func newZipper() *gzip.Writer {
	w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // This level is valid.
	return w
}

// serve answers a scrape with its view, or with what all know if that is nil. A metric that can't be gathered or encoded does not
// affect the others.
func (h *metricsHandler) serve(w http.ResponseWriter, r *http.Request, view View) {
	gathered, err := h.gatherer.Gather()
	families := h.families
	if view != nil {
		var wrong error
		gathered, wrong = view.Correct(gathered)
		families, err = view.Families, errors.Join(err, wrong)
	}
	failed, ended := h.gathering.Update(err)
	if ended {
		h.logger.Info("Serving metrics succeeded again")
	}
	if err != nil {
		h.failures.WithLabelValues("gathering").Inc()
		if failed {
			h.logger.Error("Serving metrics failed", "err", fmt.Errorf("gathering metrics: %w", err))
		}
		if len(gathered) == 0 {
			http.Error(w, "An error has occurred while serving metrics:\n\n"+err.Error(), http.StatusInternalServerError)
			return
		}
	}
	format := expfmt.NegotiateAccept(r.Header, h.formats...)
	if format.FormatType() == expfmt.TypeOpenMetrics {
		gathered = withoutClashes(gathered)
	}
	header := w.Header()
	header.Add("Vary", "Accept")
	header.Add("Vary", "Accept-Encoding")
	header.Set("Content-Type", string(format))
	set := metricSet{gathered: gathered, families: families(), names: r.URL.Query()["name[]"]}
	write := h.write
	if negotiate.Gzip(r.Header) {
		header.Set("Content-Encoding", "gzip")
		write = h.writeZipped
	}
	if err := write(w, format, set); err != nil {
		h.failed("encoding", fmt.Errorf("sending metrics: %w", err))
	}
}

func (h *metricsHandler) writeZipped(w io.Writer, format expfmt.Format, set metricSet) error {
	zipper := h.zippers.Get().(*gzip.Writer)
	defer func() {
		zipper.Reset(io.Discard) // The pool must not keep the ResponseWriter of a request that has ended.
		h.zippers.Put(zipper)
	}()
	zipper.Reset(w)
	return errors.Join(h.write(zipper, format, set), zipper.Close())
}

// write writes a set. It stops at the first error of the connection.
func (h *metricsHandler) write(w io.Writer, format expfmt.Format, set metricSet) error {
	encoder := exposition.NewEncoder(w, format)
	for write := range set.all {
		err := write(encoder)
		if sent := encoder.Err(); sent != nil {
			return sent
		}
		if err != nil {
			h.failed("encoding", fmt.Errorf("encoding a metric family: %w", err))
		}
	}
	return encoder.Close()
}

// failed counts and logs a failure. A client that went away is logged at level debug.
func (h *metricsHandler) failed(cause string, err error) {
	h.failures.WithLabelValues(cause).Inc()
	level := slog.LevelError
	if _, gone := errors.AsType[*net.OpError](err); gone {
		level = slog.LevelDebug
	}
	h.logger.Log(context.Background(), level, "Serving metrics failed", "err", err)
}
