package bridge

import (
	"context"
	"sync"
	"time"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/alerts/alertmanager"
	"servicegroup_exporter/config"
)

// A Setup is what a bridge makes of a configuration.
type Setup struct {
	builder  *alerts.Builder
	schedule *schedule
	clients  []*running // in the order of the configuration
}

// A running client is one with the goroutines that belong to it.
type running struct {
	*alertmanager.Client
	background sync.WaitGroup
	cancel     context.CancelFunc
}

func (b *Bridge) newClient(cfg config.Alertmanager, validity time.Duration) (*running, error) {
	client, err := alertmanager.New(alertmanager.Options{
		Config: cfg, Validity: validity, Metrics: b.metrics, Logger: b.log, Transport: b.transport, Ended: b.noteEnded,
	})
	if err != nil {
		return nil, err
	}
	return &running{Client: client}, nil
}

func (s *Setup) start(ctx context.Context) {
	for _, c := range s.clients {
		ctx, cancel := context.WithCancel(ctx)
		c.cancel = cancel
		c.background.Go(func() { _ = c.Run(ctx) }) // It ends with ctx and fails in no other way.
	}
}

// stop ends all clients, each with one last attempt to post what waits.
func (s *Setup) stop() {
	for _, c := range s.clients {
		c.cancel()
	}
	for _, c := range s.clients {
		c.background.Wait()
	}
	s.Close()
}

// Close gives up a setup that does not run.
func (s *Setup) Close() {
	for _, c := range s.clients {
		c.Close()
	}
}
