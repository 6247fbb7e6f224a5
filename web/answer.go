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
	"servicegroup_exporter/web/negotiate"
)

// An answerer writes what is known. It does all that promhttp's handler does, with the settings that this program needs,
// and takes series that were never gathered beside those that were: see [Options.Families].
//
// Gathers are not coalesced: a scrape that joined one under way would get what was known before its own poll.
type answerer struct {
	logger   *slog.Logger
	gatherer prometheus.Gatherer
	families func() []exposition.Family
	formats  []expfmt.Format
	failures *prometheus.CounterVec
	zippers  sync.Pool // of *gzip.Writer
}

func newAnswerer(o Options) (*answerer, error) {
	a := &answerer{
		logger: o.Logger, gatherer: o.Gatherer, families: o.Families,
		formats: expfmt.DefaultOpenMetricsAcceptedFormats(),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{ // Its name and its help are promhttp's.
			Name: "promhttp_metric_handler_errors_total",
			Help: "Total number of internal errors encountered by the promhttp metric handler.",
		}, []string{"cause"}),
		zippers: sync.Pool{New: func() any { return newZipper() }},
	}
	if a.families == nil {
		a.families = func() []exposition.Family { return nil }
	}
	a.failures.WithLabelValues("gathering")
	a.failures.WithLabelValues("encoding")
	if err := o.Registerer.Register(a.failures); err != nil {
		return nil, fmt.Errorf("registering the metrics of the scrape handler: %w", err)
	}
	return a, nil
}

// newZipper makes a writer that spends little time: on this sort of text the default level takes four times as long for
// an answer that is a tenth shorter.
func newZipper() *gzip.Writer {
	w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // It knows this level.
	return w
}

// ServeHTTP implements http.Handler. One bad metric does not cost the others.
func (a *answerer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	gathered, err := a.gatherer.Gather()
	if err != nil {
		a.failed("gathering", fmt.Errorf("error gathering metrics: %w", err))
		if len(gathered) == 0 {
			http.Error(w, "An error has occurred while serving metrics:\n\n"+err.Error(), http.StatusInternalServerError)
			return
		}
	}
	format := expfmt.NegotiateAccept(r.Header, a.formats...)
	header := w.Header()
	header.Add("Vary", "Accept")
	header.Add("Vary", "Accept-Encoding")
	header.Set("Content-Type", string(format))
	set := metricSet{gathered: gathered, families: a.families(), names: r.URL.Query()["name[]"]}
	write := a.write
	if negotiate.Gzip(r.Header) {
		header.Set("Content-Encoding", "gzip")
		write = a.writeZipped
	}
	if err := write(w, format, set); err != nil {
		a.failed("encoding", fmt.Errorf("error sending metrics: %w", err))
	}
}

func (a *answerer) writeZipped(w io.Writer, format expfmt.Format, set metricSet) error {
	zipper := a.zippers.Get().(*gzip.Writer)
	defer a.zippers.Put(zipper)
	zipper.Reset(w)
	return errors.Join(a.write(zipper, format, set), zipper.Close())
}

// write writes a set. It stops when it can't be sent any further.
func (a *answerer) write(w io.Writer, format expfmt.Format, set metricSet) error {
	encoder := exposition.NewEncoder(w, format)
	for write := range set.all {
		err := write(encoder)
		if sent := encoder.Err(); sent != nil {
			return sent
		}
		if err != nil {
			a.failed("encoding", fmt.Errorf("error encoding metric family: %w", err))
		}
	}
	return encoder.Close()
}

// failed counts and logs. A client that went away is no error of ours.
func (a *answerer) failed(cause string, err error) {
	a.failures.WithLabelValues(cause).Inc()
	level := slog.LevelError
	if _, gone := errors.AsType[*net.OpError](err); gone {
		level = slog.LevelDebug
	}
	a.logger.Log(context.Background(), level, "Serving metrics failed", "err", err)
}
