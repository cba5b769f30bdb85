package tencenthttp

import (
	"net/http"
	"time"
)

// Transport is an http.RoundTripper that makes calls to Tencent Cloud API 3.0 resilient: it reads the error code in every answer,
// retries what may be retried, keeps to rate limits, and leaves an endpoint alone that is down. What it does not know it hands
// on unchanged. It keeps the contract of http.RoundTripper: the request is not changed, and there is either a response or an error.
//
// NewTransport makes one. The zero Transport forwards to http.DefaultTransport and does nothing else.
//
// One Transport should be shared by all clients of a process, for it learns per endpoint and counts per Target. It may be used by
// any number of goroutines.
type Transport struct {
	base      http.RoundTripper
	cfg       *config // nil in the zero Transport
	targets   *registry[identity, *target]
	endpoints *registry[endpointKey, *endpoint]
	clocks    clocks
}

// NewTransport returns a Transport that sends its attempts through base; nil means http.DefaultTransport. Its error joins one error
// for every bad option.
func NewTransport(base http.RoundTripper, opts ...Option) (*Transport, error) {
	cfg, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	if base == nil {
		base = http.DefaultTransport
	}
	endpoints := newRegistry[endpointKey, *endpoint](maxEntries, nil)
	t := &Transport{
		base:      base,
		cfg:       cfg,
		targets:   newRegistry[identity](maxEntries, func(t *target) { endpoints.release(t.endpoint, time.Now()) }),
		endpoints: endpoints,
	}
	cfg.hooks.install(t)
	return t, nil
}

// RoundTrip implements http.RoundTripper. A call that the API answered gives its last response, body intact, whatever the error
// code in it. A call that was not answered gives a *CallError.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if t.cfg == nil {
		return http.DefaultTransport.RoundTrip(req)
	}
	c := t.begin(req)
	defer c.release()
	c.open()
	if err := c.addClientToken(); err != nil {
		return c.refuse(&refusal{reason: ReasonBodyNotReplayable, err: err})
	}
	for {
		if refused := c.admitted(); refused != nil {
			return c.refuse(refused)
		}
		if refused := c.send(); refused != nil {
			return c.refuse(refused)
		}
		c.judge()
		delay, reason := c.again()
		if reason != "" {
			return c.finish(reason)
		}
		if canceled := c.sleep(delay); canceled != nil {
			return c.refuse(canceled)
		}
	}
}

// CloseIdleConnections forwards to the base RoundTripper, if that has such a method. http.Client.CloseIdleConnections calls it.
func (t *Transport) CloseIdleConnections() {
	if closer, ok := t.Unwrap().(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}

// Unwrap returns the base RoundTripper.
func (t *Transport) Unwrap() http.RoundTripper {
	if t.cfg == nil {
		return http.DefaultTransport
	}
	return t.base
}
