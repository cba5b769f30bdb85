package sim

import "time"

// Second is what happened in one second of a run.
type Second struct {
	// Offered calls began, and OK and Failed ones ended.
	Offered, OK, Failed int
	// Sent requests reached the service; Accepted and Throttled ones were answered so.
	Sent, Accepted, Throttled int
	// Quota is what the service allowed; 0 is no limit.
	Quota float64
}

func newSeconds(s *Scenario, j *journal) []Second {
	var course []Second
	at := func(t time.Duration) *Second {
		for len(course) <= int(t/time.Second) {
			course = append(course, Second{Quota: s.RateAt(time.Duration(len(course)) * time.Second)})
		}
		return &course[int(t/time.Second)]
	}
	for _, c := range j.calls {
		at(c.begun).Offered++
		if c.err == nil {
			at(c.end).OK++
		} else {
			at(c.end).Failed++
		}
	}
	for _, w := range j.wires {
		at(w.sent).Sent++
		if w.accepted {
			at(w.answered).Accepted++
		}
		if w.throttle {
			at(w.answered).Throttled++
		}
	}
	return course
}
