package bridge

import (
	"context"
	"fmt"
	"sync"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/alerts/alertmanager"
	"servicegroup_exporter/config"
)

// A Setup has what a bridge needs for one configuration. [Bridge.Prepare] creates it, [Bridge.Use] puts it into use.
type Setup struct {
	builder       *alerts.Builder
	schedule      *schedule
	alertmanagers []*alertmanager.Clients // in the order of the configuration
	hosts         *hostAnswers            // nil: no Prometheus is configured

	cancel     context.CancelFunc // nil: not started
	background sync.WaitGroup     // of the clients and of requests to them
}

// Prepare creates a setup for a valid configuration. The caller must pass it to [Bridge.Use] or close it.
func (b *Bridge) Prepare(cfg *config.Alerting) (*Setup, error) {
	s := &Setup{builder: alerts.NewBuilder(cfg), schedule: newSchedule(cfg)}
	for i := range cfg.Alertmanagers {
		clients, err := alertmanager.NewClients(alertmanager.Options{
			Config: cfg.Alertmanagers[i], Validity: s.schedule.validity(), Metrics: b.metrics, Logger: b.log,
			Transport: b.transport, Lookup: b.lookup, ResolvedElsewhere: b.noteResolvedElsewhere, AddressAdded: b.noteAddressAdded,
		})
		if err != nil {
			s.Close()
			return nil, fmt.Errorf("alerting.alertmanagers[%d]: %w", i, err)
		}
		s.alertmanagers = append(s.alertmanagers, clients)
	}
	hosts, err := newHostAnswers(cfg, b.transport, b.log)
	if err != nil {
		s.Close()
		return nil, err
	}
	if hosts != nil {
		s.hosts = hosts
		s.builder.AskForHosts(hosts.of)
	}
	return s, nil
}

// start starts the clients.
func (s *Setup) start(ctx context.Context) {
	ctx, s.cancel = context.WithCancel(ctx)
	for _, c := range s.alertmanagers {
		s.background.Go(func() { c.Run(ctx) })
	}
	if s.hosts != nil {
		s.background.Go(func() { s.hosts.run(ctx) })
	}
}

// stop stops all clients after one last attempt to post what is queued, and closes the setup.
func (s *Setup) stop() {
	if s.cancel != nil {
		s.cancel()
	}
	s.background.Wait()
	s.Close()
}

// Close closes the clients of a setup that is not in use.
func (s *Setup) Close() {
	for _, c := range s.alertmanagers {
		c.Close()
	}
}

// clients returns the present clients of all Alertmanagers: one for each address.
func (s *Setup) clients() []*alertmanager.Client {
	var all []*alertmanager.Client
	for _, c := range s.alertmanagers {
		all = append(all, c.All()...)
	}
	return all
}

// send queues alerts in every client, and removes from the queues those that are over.
func (s *Setup) send(due, over []*alertmanager.Alert) {
	for _, c := range s.alertmanagers {
		c.Withdraw(over...)
		c.Send(due...)
	}
}
