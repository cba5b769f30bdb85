package tencenthttp

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"sync/atomic"
)

// replay gives every attempt a body of its own. With GetBody, the first attempt gets the request's own body and each further one
// what GetBody makes. Without it, the first attempt streams the body through a recording, and further ones read that.
type replay struct {
	req       *http.Request
	recording *recording // nil where there is no body, or a GetBody
	handed    bool       // the base RoundTripper has had the request's own body, and closes it
}

var (
	errBodyTooLarge = errors.New("the request's body is longer than what is kept of it")
	errBodyInUse    = errors.New("the request's body is still being read by the last attempt")
	errBodyReplaced = errors.New("the request's body has gone on to another attempt")
)

func newReplay(req *http.Request, maxReplay int64) replay {
	r := replay{req: req}
	if hasBody(req) && req.GetBody == nil {
		r.recording = &recording{source: req.Body, max: maxReplay, lost: req.ContentLength > maxReplay}
	}
	return r
}

func hasBody(req *http.Request) bool { return req.Body != nil && req.Body != http.NoBody }

// body returns the body of the next attempt.
func (r *replay) body() (io.ReadCloser, error) {
	switch {
	case !hasBody(r.req):
		return r.req.Body, nil
	case r.recording != nil:
		body, err := r.recording.reader()
		if err != nil {
			return nil, err
		}
		r.handed = true
		return body, nil
	case !r.handed:
		r.handed = true
		return r.req.Body, nil
	}
	return r.req.GetBody()
}

// possible tells why there can be no body for another attempt; nil if there can, as far as is known before GetBody is asked.
func (r *replay) possible() error {
	if r.recording == nil {
		return nil
	}
	return r.recording.replayable()
}

// copy returns a body to look at, or nil if there is none that could be looked at without touching the request's own.
func (r *replay) copy() (io.ReadCloser, error) {
	if r.recording != nil {
		return r.recording.copy()
	}
	if r.req.GetBody == nil {
		return nil, nil
	}
	return r.req.GetBody()
}

// finish closes the request's body if the base RoundTripper never had it. No attempt follows.
func (r *replay) finish() {
	switch {
	case !hasBody(r.req):
	case r.recording != nil:
		r.recording.finish(!r.handed)
	case !r.handed:
		r.req.Body.Close()
	}
}

// inMemory tells whether net/http knows that reading body cannot block, and so sends it in one packet with the headers: with a
// body of another type it flushes the headers first, which makes a call on a local network a third slower. Close of such a body
// does nothing, so it can be handed on as it is.
func inMemory(body io.ReadCloser) bool { return unwrapInMemory(body) != nil }

// unwrapInMemory returns the reader in an io.NopCloser, if it is one of those that net/http knows.
func unwrapInMemory(body io.ReadCloser) interface{ Len() int } {
	if t := reflect.TypeOf(body); t != nopCloserType && t != nopCloserWriterToType {
		return nil
	}
	switch inner := reflect.ValueOf(body).Field(0).Interface().(type) {
	case *bytes.Reader:
		return inner
	case *bytes.Buffer:
		return inner
	case *strings.Reader:
		return inner
	}
	return nil
}

var (
	nopCloserType         = reflect.TypeOf(io.NopCloser(nil))
	nopCloserWriterToType = reflect.TypeOf(io.NopCloser(struct {
		io.Reader
		io.WriterTo
	}{}))
)

// closeOnce is a body that is closed no more than once, and knows whether it was read.
type closeOnce struct {
	io.ReadCloser
	touched, closed atomic.Bool
}

func (b *closeOnce) Read(p []byte) (int, error) {
	b.touched.Store(true)
	return b.ReadCloser.Read(p)
}

func (b *closeOnce) Close() error {
	if b.closed.Swap(true) {
		return nil
	}
	return b.ReadCloser.Close()
}
