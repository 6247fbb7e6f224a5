package bridge

import (
	"log/slog"
	"time"
)

// saveAgain is how long after a failure it is tried again to save what fires.
const saveAgain = time.Minute

// A saver saves what fires, in its own time: a slow disk delays no post.
type saver struct {
	store store
	log   *slog.Logger
	next  chan []rememberedAlert // of capacity 1: the newest wins
}

func newSaver(s store, log *slog.Logger) *saver {
	return &saver{store: s, log: log, next: make(chan []rememberedAlert, 1)}
}

// save lets firing be saved soon. It is called by one goroutine, and not after close.
func (s *saver) save(firing []rememberedAlert) {
	select {
	case <-s.next:
	default:
	}
	s.next <- firing
}

// close makes run return when it has saved the newest.
func (s *saver) close() { close(s.next) }

// run saves until close. It tells once of failures that go on.
func (s *saver) run() {
	var firing []rememberedAlert
	again := time.NewTimer(0)
	again.Stop()
	defer again.Stop()
	failing := false
	for {
		select {
		case next, ok := <-s.next:
			if !ok {
				return
			}
			firing = next
		case <-again.C:
		}
		switch err := s.store.save(firing); {
		case err != nil:
			if !failing {
				s.log.Warn("what fires was not saved: a restart may lose alerts of sources that can't be read then", "err", err)
			}
			failing = true
			again.Reset(saveAgain)
		case failing:
			s.log.Info("what fires is saved again")
			failing = false
			again.Stop()
		}
	}
}
