package status

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/tencenthttp/tencenthttp"
)

// maxTargets bounds what is kept of targets, as the Transport itself does.
const maxTargets = 10_000

// Page is an http.Handler that shows the Transports which its Option was given to. New makes one. It may be used by any number of
// goroutines, starts none, and has no timer.
type Page struct {
	title   string
	refresh time.Duration
	begin   time.Time

	mu         sync.Mutex
	transports []*tencenthttp.Transport
	all        series
	targets    map[tencenthttp.Target]*series
	failures   failures
}

// Setting configures New.
type Setting func(*Page)

// WithTitle sets the page's title. Default "tencenthttp".
func WithTitle(title string) Setting { return func(p *Page) { p.title = title } }

// WithRefresh sets after how long the page loads itself again, in whole seconds. Default 5 s; below 1 s it does not.
func WithRefresh(d time.Duration) Setting {
	return func(p *Page) { p.refresh = d.Truncate(time.Second) }
}

// New returns a page that shows nothing yet.
func New(settings ...Setting) *Page {
	p := &Page{
		title: "tencenthttp", refresh: 5 * time.Second, begin: time.Now(),
		targets: map[tencenthttp.Target]*series{}, failures: failures{byKind: map[failureKind]*Failure{}},
	}
	for _, set := range settings {
		set(p)
	}
	return p
}

// Option returns the option for tencenthttp.NewTransport that makes the page show that Transport. It may be given to several.
func (p *Page) Option() tencenthttp.Option { return tencenthttp.WithHooks(p.hooks()) }

func (p *Page) hooks() tencenthttp.Hooks {
	return tencenthttp.Hooks{
		Install:    p.install,
		Attempt:    func(_ context.Context, info tencenthttp.AttemptInfo) { p.attempt(info) },
		Refusal:    func(_ context.Context, info tencenthttp.RefusalInfo) { p.refusal(info) },
		RateChange: func(_ context.Context, info tencenthttp.RateChangeInfo) { p.rateChange(info) },
		Done:       func(_ context.Context, info tencenthttp.DoneInfo) { p.done(info) },
	}
}

func (p *Page) install(rt *tencenthttp.Transport) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.transports = append(p.transports, rt)
}

func (p *Page) attempt(info tencenthttp.AttemptInfo) {
	p.count(info.Target, func(s *series, now time.Time) {
		c := s.at(now)
		switch {
		case info.Verdict.Throttled:
			c.throttled++
		case info.Verdict.Fault:
			c.faults++
		case info.Failure() != "":
			c.failed++
		default:
			c.succeeded++
		}
		s.waited(info.Waits.Total(), now.Add(-info.Latency))
	})
}

func (p *Page) refusal(info tencenthttp.RefusalInfo) {
	p.count(info.Target, func(s *series, now time.Time) { s.at(now).refused++ })
}

// rateChange keeps the rate that was learned for the chart: between two changes it stays what it is.
func (p *Page) rateChange(info tencenthttp.RateChangeInfo) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seriesOf(info.Target, time.Now()).setLimit(info.To)
}

func (p *Page) done(info tencenthttp.DoneInfo) {
	if info.Reason == tencenthttp.ReasonSuccess {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failures.add(info, time.Now())
}

// count adds to what happens now, of a target and of all together.
func (p *Page) count(target tencenthttp.Target, add func(*series, time.Time)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	add(p.seriesOf(target, now), now)
	add(&p.all, now)
}

// seriesOf returns what is kept of a target, up to now. The caller holds the mutex.
func (p *Page) seriesOf(target tencenthttp.Target, now time.Time) *series {
	found := p.targets[target]
	if found == nil {
		if len(p.targets) >= maxTargets {
			p.sweep()
		}
		found = &series{limit: noLimit}
		p.targets[target] = found
	}
	found.advance(now)
	return found
}

// sweep forgets the tenth that was longest idle. It takes a millisecond, once in a thousand new targets.
func (p *Page) sweep() {
	ages := make([]int64, 0, len(p.targets))
	for _, s := range p.targets {
		ages = append(ages, s.newest)
	}
	oldest := nth(ages, len(ages)/10)
	left := len(p.targets)/10 + 1
	for target, s := range p.targets {
		if s.newest <= oldest && left > 0 {
			left--
			delete(p.targets, target)
		}
	}
}

// noLimit is how a chart's point says that there was none.
const noLimit = float32(0)

func limitOf(limit rate.Limit) float32 {
	if limit >= rate.Inf {
		return noLimit
	}
	return float32(limit)
}
