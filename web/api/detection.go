package api

// A detection is the histogram of the detection latencies of a group.
type detection struct {
	Source     string   `json:"source"`
	Group      string   `json:"group"`
	Count      uint64   `json:"count"`
	SumSeconds float64  `json:"sum_seconds"`
	Buckets    []bucket `json:"buckets"`
}

// A bucket counts the deaths that were detected within LE seconds, including the counts of smaller buckets. Slower detections are
// only in the count of the histogram.
type bucket struct {
	LE    float64 `json:"le"`
	Count uint64  `json:"count"`
}

type detectionAnswer struct {
	Detection []detection `json:"detection"`
}

func (a *api) detection(q query) (any, error) {
	if _, err := a.asked(q); err != nil {
		return nil, err
	}
	answer := detectionAnswer{[]detection{}}
	for _, d := range a.Collector.Detection() {
		if (q["source"] != "" && q["source"] != d.Source) || (q["group"] != "" && q["group"] != d.Group) {
			continue
		}
		shown := detection{d.Source, d.Group, d.Count, d.Sum.Seconds(), make([]bucket, len(d.Buckets))}
		for i, b := range d.Buckets {
			shown.Buckets[i] = bucket{b.Within.Seconds(), b.Count}
		}
		answer.Detection = append(answer.Detection, shown)
	}
	return answer, nil
}
