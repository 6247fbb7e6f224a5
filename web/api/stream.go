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
	// pollsEvery is how often a stream checks whether sources were polled.
	pollsEvery = time.Second
	// keepAlive is the longest time without data. It is shorter than the usual timeouts of proxies.
	keepAlive = 15 * time.Second
	// streamWriteTimeout bounds each write. The connection of a slower client is closed; the client can connect again and ask
	// for the events that it missed.
	streamWriteTimeout = 10 * time.Second
)

// lastEventID is the header in which a client that connects again sends the ID of the last event that it has.
const lastEventID = "Last-Event-ID"

// A stream sends server-sent events to one client. It buffers nothing for the client: it reads the history from the last event
// that was sent, as fast as the client reads.
type stream struct {
	*api
	filter  Filter
	after   int64                // the ID of the newest event that was sent or did not match
	polled  map[string]time.Time // the last poll of each source that was sent
	out     http.ResponseWriter
	control *http.ResponseController
	pending bytes.Buffer
	written time.Time
}

// streamEvents sends events to a client until the client goes away or the program stops.
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
	h.Set("X-Accel-Buffering", "no") // Without it nginx would delay events until its buffer is full.
	if r.Method == http.MethodHead {
		return nil
	}
	s := &stream{
		api: a, filter: newFilter(q, nil), after: after, polled: make(map[string]time.Time),
		out: w, control: http.NewResponseController(w),
	}
	if err := s.run(r.Context()); err != nil {
		a.Logger.Debug("A stream of events ended with an error", "err", err)
	}
	return nil
}

// streamStart returns the ID after which a stream begins: that of the header of a client that connects again, that of the
// parameter, or that of the newest event.
func (a *api) streamStart(r *http.Request, q query) (int64, error) {
	if text := r.Header.Get(lastEventID); text != "" {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return 0, badRequest("%s %q is not an event ID", lastEventID, text)
		}
		return id, nil
	}
	return q.number("after", a.History.last())
}

func (s *stream) run(ctx context.Context) error {
	ticker := time.NewTicker(pollsEvery)
	defer ticker.Stop()
	// Without data this is not an event, but it sets the ID that the client sends if it connects again before the first event.
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

// A poll is the data of the event "poll": the source was polled or removed.
type poll struct {
	Source string `json:"source"`
}

// writePolls writes a poll event for every source that was polled or removed since the last call; at first, for all sources. A
// client that reads the API again after each poll event misses nothing.
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
	if s.filter.Source == "" || s.filter.Source == source {
		s.write("poll", poll{source})
	}
}

// write appends an event to the pending data. JSON as it is encoded here has no line breaks.
func (s *stream) write(event string, data any) {
	text, err := json.Marshal(data)
	if err != nil {
		s.Logger.Error("Encoding an event as JSON failed", "err", err)
		return
	}
	fmt.Fprintf(&s.pending, "event: %s\ndata: %s\n\n", event, text)
}

// flush sends the pending data. The write deadline of the server is for whole answers; a stream has a deadline for each write,
// and none between writes, where a deadline would end a stream of HTTP/2.
func (s *stream) flush() error {
	if s.pending.Len() == 0 {
		return nil
	}
	s.written = time.Now()
	if err := s.control.SetWriteDeadline(s.written.Add(s.writeTimeout)); err != nil {
		return fmt.Errorf("setting the write deadline: %w", err)
	}
	if _, err := s.pending.WriteTo(s.out); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	if err := s.control.Flush(); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	return s.control.SetWriteDeadline(time.Time{})
}
