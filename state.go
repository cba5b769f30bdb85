package tencenthttp

import "time"

// target is what is known of one Target: the line of its calls, and their numbers.
type target struct {
	usage
	Target
	endpoint *endpoint // held as long as the target is remembered
	pacer    *pacer
	limiters []Limiter // the caller's own
	stats    counters
}

func (t *Transport) newTarget(id identity, now time.Time) *target {
	name := id.target()
	limit := t.cfg.limitFor(name.Service, name.Action)
	fresh := &target{Target: name, pacer: newPacer(limit, !t.cfg.noPacing, len(t.cfg.hooks) > 0, now)}
	for _, newer := range t.cfg.newLimiter {
		if limiter := newer(name); limiter != nil {
			fresh.limiters = append(fresh.limiters, limiter)
		}
	}
	key := endpointKey{name.Host, name.Region}
	fresh.endpoint = t.endpoints.get(key, now, func() (endpointKey, *endpoint) { return key, newEndpoint(key, t.cfg, now) })
	return fresh
}

func (t *target) idle(now time.Time) bool { return t.pacer.idle(now) }
