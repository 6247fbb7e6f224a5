package collector

import "fmt"

// save writes the memory where it would be missed: soon after a change, and now and then even without one, as the
// times of the last heartbeats and of the last poll go on.
func (s *source) save(last bool) error {
	s.saving.Lock()
	defer s.saving.Unlock()
	m := s.dueMemory(last)
	if m == nil {
		return nil
	}
	if err := s.env.store.save(m); err != nil {
		s.env.metrics.memoryFailures.WithLabelValues(s.cfg.Name).Inc()
		s.mu.Lock()
		s.unsaved = true
		s.mu.Unlock()
		return fmt.Errorf("keeping the memory: %w", err)
	}
	return nil
}

// dueMemory gives the memory if it is to be saved now.
func (s *source) dueMemory(last bool) *memory {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.env.clock()
	if s.tracker == nil || !s.tracker.known || !s.env.store.writes() {
		return nil
	}
	polled := s.tracker.last.sub(s.saved) > 0
	if !s.unsaved && !(polled && (last || now.sub(s.saved) >= saveAtLeast)) {
		return nil
	}
	s.unsaved, s.saved = false, now
	return s.tracker.memory()
}
