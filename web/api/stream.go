package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

const (
	// pollsEvery is how often a stream looks whether sources were polled.
	pollsEvery = time.Second
	// keepAlive is the longest time without a word, shorter than what proxies usually bear.
	keepAlive = 15 * time.Second
	// streamWriteTimeout is how long a client may keep a write waiting. It is cut off then: it can come back and ask for
	// what it missed.
	streamWriteTimeout = 10 * time.Second
)

// lastEventID is the header in which a client that lost its stream says what it has.
const lastEventID = "Last-Event-ID"

// A stream is a client that is told what happens, as server-sent events. Nothing is buffered for it: it has a place in
// the history, and goes on from there as fast as the client reads.
type stream struct {
	*api
	filter  filter
	after   int64                // the newest event that it is done with
	polled  map[string]time.Time // the last poll of each source that it was told of
	out     http.ResponseWriter
	control *http.ResponseController
	pending bytes.Buffer
	written time.Time
}

// streamEvents tells a client what happens until it goes away or the program stops.
func (a *api) streamEvents(w http.ResponseWriter, r *http.Request, q query) error {
	after, err := a.streamStart(r, q)
	if err != nil {
		return err
	}
	select {
	case a.streams <- struct{}{}:
		defer func() { <-a.streams }()
	default:
		return unavailable("%d streams are in progress already", maxStreams)
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would keep events back until it has a bufferful.
	if r.Method == http.MethodHead {
		return nil
	}
	s := &stream{
		api: a, filter: newFilter(q), after: after, polled: make(map[string]time.Time),
		out: w, control: http.NewResponseController(w),
	}
	if err := s.run(r.Context()); err != nil {
		a.Logger.Debug("A stream of events broke off", "err", err)
	}
	return nil
}

// streamStart gives the event after which a stream begins: the one that a client that comes back names, or that was
// asked for, or the newest.
func (a *api) streamStart(r *http.Request, q query) (int64, error) {
	if text := r.Header.Get(lastEventID); text != "" {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return 0, badRequest("%s %q is not the ID of an event", lastEventID, text)
		}
		return id, nil
	}
	return q.number("after", a.History.last())
}

func (s *stream) run(ctx context.Context) error {
	ticker := time.NewTicker(pollsEvery)
	defer ticker.Stop()
	// Without data this is no event, but a client that comes back before there was one will say that it has this.
	fmt.Fprintf(&s.pending, "id: %d\n\n", s.after)
	s.writePolls()
	for {
		events, last, more := s.History.since(s.filter, s.after)
		s.after = last
		for _, e := range events {
			fmt.Fprintf(&s.pending, "id: %d\n", e.ID)
			s.write(string(e.Event), e)
		}
		if err := s.flush(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.History.ended:
			return nil
		case <-more:
		case <-ticker.C:
			s.writePolls()
			if s.pending.Len() == 0 && time.Since(s.written) >= keepAlive {
				s.pending.WriteString(": nothing new\n\n")
			}
		}
	}
}

// A poll tells that a source was polled, or is no longer there.
type poll struct {
	Source string `json:"source"`
}

// writePolls tells of the sources that were polled since it was called last: at first, all of them. So a client that
// reads anew what it shows whenever it is told of a poll can't miss anything.
func (s *stream) writePolls() {
	now := make(map[string]time.Time)
	for _, snapshot := range s.Collector.Snapshots() {
		now[snapshot.Source] = snapshot.LastAttempt
		if last, known := s.polled[snapshot.Source]; !known || !last.Equal(snapshot.LastAttempt) {
			s.writePoll(snapshot.Source)
		}
	}
	for source := range s.polled {
		if _, ok := now[source]; !ok {
			s.writePoll(source)
		}
	}
	s.polled = now
}

func (s *stream) writePoll(source string) {
	if s.filter.source == "" || s.filter.source == source {
		s.write("poll", poll{source})
	}
}

// write adds an event to what the client gets next. JSON has no line breaks.
func (s *stream) write(event string, data any) {
	text, err := json.Marshal(data)
	if err != nil {
		s.Logger.Error("Writing an event as JSON failed", "err", err)
		return
	}
	fmt.Fprintf(&s.pending, "event: %s\ndata: %s\n\n", event, text)
}

// flush sends what was written. The deadline of the server is for whole answers; a stream has one for every write, and
// none in between, where it would end a stream of HTTP/2.
func (s *stream) flush() error {
	if s.pending.Len() == 0 {
		return nil
	}
	s.written = time.Now()
	if err := s.control.SetWriteDeadline(s.written.Add(s.writeTimeout)); err != nil {
		return fmt.Errorf("bounding a write: %w", err)
	}
	if _, err := s.pending.WriteTo(s.out); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	if err := s.control.Flush(); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	return s.control.SetWriteDeadline(time.Time{})
}
