package alertmanager

import (
	"encoding/json"
	"fmt"
	"time"
)

// wireAlert is a postableAlert of Alertmanager's API v2, and the part of a gettableAlert that matters here.
type wireAlert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations,omitempty"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
}

// encode writes the body of a post. Times are the Alertmanager's; a firing alert ends where it is not posted again within
// validity.
func encode(batch []entry, now reading, validity time.Duration) ([]byte, error) {
	out := make([]wireAlert, len(batch))
	for i, e := range batch {
		out[i] = wireAlert{
			Labels: e.alert.Labels, Annotations: e.alert.Annotations, GeneratorURL: e.alert.GeneratorURL,
		}
		out[i].StartsAt, out[i].EndsAt = times(e.alert, now, validity)
	}
	body, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("encoding alerts: %w", err)
	}
	return body, nil
}

// times gives an alert's times by the Alertmanager's clock.
//
// It refuses alerts that end before they start, and it loses a resolve that lies even milliseconds in its future: the end
// that it knew is kept, and the alert fires on. So an end is as late as its clock is known to be.
func times(a *Alert, now reading, validity time.Duration) (start, end time.Time) {
	start = now.at(a.Start).UTC()
	if a.fires() {
		return start, now.now.Add(validity).UTC()
	}
	end = now.at(a.End).UTC()
	if end.After(now.earliest) {
		end = now.earliest.UTC()
	}
	if !start.Before(end) {
		start = end.Add(-time.Millisecond)
	}
	return start, end
}
