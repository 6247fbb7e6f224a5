package collector

import (
	"log/slog"

	"servicegroup_exporter/collector/tracker"
)

// logAtMost bounds the lines that one poll can log about members. When a site loses power, a line for each member is no help.
const logAtMost = 20

func (s *source) logEvents(events []Event) {
	for i, e := range events {
		if i == logAtMost {
			s.log.Warn("More members changed", "not_shown", len(events)-i)
			return
		}
		s.logEvent(e)
	}
}

func (s *source) logUnreadable(err error) {
	s.log.Warn("Source can't be read", "reason", s.now.Reason, "err", err)
}

func (s *source) logEvent(e Event) {
	log := s.log.With("group", e.Member.Group, "member", e.Member.Name)
	switch e.Type {
	case EventSourceLost:
		s.logUnreadable(e.Err)
	case EventSourceBack:
		s.log.Info("Source can be read again")
	case EventDeath:
		if e.HasLatency {
			log = log.With("latency", e.Latency)
		}
		log.Warn("Member died")
	case EventRecovery:
		if e.HasLatency {
			log = log.With("outage", e.Latency)
		}
		log.Info("Member recovered")
	case EventSuspect:
		log.Warn("Member is suspected", "silent", e.Latency)
	case EventConfirm:
		log.Info("Suspected member is down", "silent", e.Latency)
	case EventRefute:
		log.Info("Suspected member has reported", "silent", e.Latency)
	default:
		log.Info("Member changed", "event", string(e.Type))
	}
}

// logRejected logs that entries can't be used, if their number has changed. It logs once that names are too long for labels.
func (s *source) logRejected(changes *tracker.Changes) {
	total := 0
	for _, n := range changes.Rejected {
		total += n
	}
	if total > 0 && total != s.rejects {
		s.log.Warn("Entries of the source can't be used", "entries", total, "by_reason", slog.AnyValue(changes.Rejected))
	}
	if total == 0 && s.rejects > 0 {
		s.log.Info("All entries of the source can be used again")
	}
	if changes.LongNames > 0 && !s.longNames {
		s.log.Warn("Members are left out because their names are longer than label_value_length_limit",
			"members", changes.LongNames, "limit", s.cfg.LabelLimit)
	}
	s.rejects, s.longNames = total, changes.LongNames > 0
}

// logRarePolls logs when the source is polled too rarely for suspicion, and when it no longer is.
func (s *source) logRarePolls() {
	every, tooRare := s.tracker.PollsTooRare()
	switch {
	case every == 0:
		return
	case tooRare && !s.rarelyPolled:
		s.log.Warn("Source is polled too rarely to suspect its members", "polled_every", every, "heartbeat_timeout", s.now.DownTime)
	case !tooRare && s.rarelyPolled:
		s.log.Info("Source is polled often enough to suspect its members")
	}
	s.rarelyPolled = tooRare
}
