package oteltencent

import (
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/tencenthttp/tencenthttp"
)

// other stands for all that have no name of their own.
const other = "_OTHER"

// labelled makes sets of attributes that have some in common, and keeps them: making one costs more than recording with it. What
// it keeps is bounded by the values that its callers give.
type labelled struct {
	common []attribute.KeyValue
	alone  metric.MeasurementOption // the common ones

	mu   sync.RWMutex
	sets map[attribute.KeyValue]options
}

// options are the same set of attributes for both kinds of instruments.
type options struct {
	add    []metric.AddOption
	record []metric.RecordOption
}

func newLabelled(common ...attribute.KeyValue) *labelled {
	return &labelled{common: common, alone: metric.WithAttributeSet(attribute.NewSet(common...)), sets: map[attribute.KeyValue]options{}}
}

// with returns the common attributes and one more.
func (l *labelled) with(key attribute.Key, value string) options {
	label := key.String(value)
	l.mu.RLock()
	made, ok := l.sets[label]
	l.mu.RUnlock()
	if ok {
		return made
	}
	made = newOptions(attribute.NewSet(append(l.common[:len(l.common):len(l.common)], label)...))
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sets[label] = made
	return made
}

func newOptions(set attribute.Set) options {
	option := metric.WithAttributeSet(set)
	return options{add: []metric.AddOption{option}, record: []metric.RecordOption{option}}
}

// target is what is kept of a service, action and region.
type target struct {
	*labelled // shared by all that are _OTHER

	name                                 string // of its calls' spans
	callSpan, innerCallSpan, attemptSpan []trace.SpanStartOption
}

// place is what the series of a target are told apart by.
type place struct{ service, action, region string }

// targets gives names to the first so many, and one name to all others.
type targets struct {
	max int

	mu        sync.RWMutex
	known     map[tencenthttp.Target]*target // as many as places may have accounts and hosts, within a bound
	places    map[place]*labelled
	endpoints map[place]*labelled
	codes     int // in all sets of the places
	others    *labelled
	elsewhere *labelled
}

// maxKnown bounds what is kept of targets that have names: a place may have any number of hosts and accounts.
const maxKnown = 10_000

func newTargets(limit int) *targets {
	return &targets{
		max:   limit,
		known: map[tencenthttp.Target]*target{}, places: map[place]*labelled{}, endpoints: map[place]*labelled{},
		others:    newLabelled(serviceKey.String(other), actionKey.String(other), regionKey.String(other)),
		elsewhere: newLabelled(serverAddressKey.String(other), regionKey.String(other)),
	}
}

// get returns what is kept of a target, or something made for this call alone.
func (t *targets) get(key tencenthttp.Target, method string) *target {
	t.mu.RLock()
	found := t.known[key]
	t.mu.RUnlock()
	if found != nil {
		return found
	}
	made := newTarget(key, method)
	t.mu.Lock()
	defer t.mu.Unlock()
	labels, named := t.place(key)
	made.labelled = labels
	if named && len(t.known) < maxKnown {
		t.known[key] = made
	}
	return made
}

// place returns the labels of a target's series, and whether they are its own. The caller holds the mutex.
func (t *targets) place(key tencenthttp.Target) (labels *labelled, named bool) {
	at := place{key.Service, key.Action, key.Region}
	if found := t.places[at]; found != nil {
		return found, true
	}
	if len(t.places) >= t.max {
		return t.others, false
	}
	made := newLabelled(serviceKey.String(key.Service), actionKey.String(key.Action), regionKey.String(key.Region))
	t.places[at] = made
	return made, true
}

// labels returns the labels of a target's series.
func (t *targets) labels(key tencenthttp.Target) *labelled {
	t.mu.Lock()
	defer t.mu.Unlock()
	labels, _ := t.place(key)
	return labels
}

func newTarget(key tencenthttp.Target, method string) *target {
	name := method
	if key.Action != "" {
		name = key.Service + "/" + key.Action
	}
	return &target{
		name:          name,
		callSpan:      startOptions(key, trace.SpanKindClient),
		innerCallSpan: startOptions(key, trace.SpanKindInternal),
		attemptSpan: []trace.SpanStartOption{
			trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(append(serverAttrs(key.Host), methodKey.String(method))...),
		},
	}
}

// withCode returns a target's attributes with an error code. There are ten times as many as targets, in all; further ones are _OTHER.
func (t *targets) withCode(of *target, code string) options {
	of.mu.RLock()
	made, ok := of.sets[errorTypeKey.String(code)]
	of.mu.RUnlock()
	if ok {
		return made
	}
	t.mu.Lock()
	if t.codes++; t.codes > 10*t.max {
		t.codes--
		code = other
	}
	t.mu.Unlock()
	return of.with(errorTypeKey, code)
}

// endpoint returns the labels of a breaker's series.
func (t *targets) endpoint(host, region string) *labelled {
	at := place{service: host, region: region}
	t.mu.Lock()
	defer t.mu.Unlock()
	if found := t.endpoints[at]; found != nil {
		return found
	}
	if len(t.endpoints) >= t.max {
		return t.elsewhere
	}
	made := newLabelled(serverAddressKey.String(host), regionKey.String(region))
	t.endpoints[at] = made
	return made
}
