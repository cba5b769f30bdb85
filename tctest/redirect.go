package tctest

import (
	"context"
	"net"
	"net/http"
	"time"
)

// admittedHeader tells the server that its own transport has already drawn whether an outage refuses the connection.
const admittedHeader = "X-Tctest-Admitted"

// Transport returns a transport that connects to the server whatever host and scheme a request names, so that clients keep the
// real endpoints: cvm.tencentcloudapi.com over https, say. Host and path, and with them the signature, stay as they are. It is
// an http.Transport of its own, with kept-alive connections and HTTP/2 if the server has it. It is also what makes CutDial and
// the Refuse of an Outage look like refused connections.
func (s *Server) Transport() http.RoundTripper { return s.transport }

// Client returns a client that uses Transport.
func (s *Server) Client() *http.Client { return &http.Client{Transport: s.transport} }

// DialContext connects to the server, whatever the address. It is for an http.Transport of the test's own; the requests must then
// have the server's scheme.
func (s *Server) DialContext(ctx context.Context, network, _ string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, network, s.HTTP.Listener.Addr().String())
}

// redirect is the transport of a Server.
type redirect struct {
	*http.Transport
	api    *API
	scheme string
}

func newRedirect(s *Server) *redirect {
	t := &http.Transport{DialContext: s.DialContext, ForceAttemptHTTP2: s.http2, MaxIdleConnsPerHost: 100}
	scheme := "http"
	if s.tls {
		scheme = "https"
		t.TLSClientConfig = s.HTTP.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
		t.TLSClientConfig.ServerName = "example.com" // what the certificate of httptest is for
	}
	return &redirect{t, s.API, scheme}
}

// RoundTrip implements http.RoundTripper.
func (t *redirect) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL == nil || r.Header == nil || r.URL.Scheme != "http" && r.URL.Scheme != "https" {
		return t.Transport.RoundTrip(r) // which refuses it
	}
	x := &exchange{api: t.api, caller: caller{r.Context(), r.Cancel}, http: r}
	drawn, err := x.dial()
	if err != nil {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, err
	}
	there := r.WithContext(r.Context())
	url := *r.URL
	url.Scheme = t.scheme
	there.URL = &url
	if drawn {
		there.Header = r.Header.Clone()
		there.Header.Set(admittedHeader, "1")
	}
	resp, err := t.Transport.RoundTrip(there)
	if resp != nil {
		resp.Request = r
	}
	return resp, err
}

// dial asks for a connection. It says whether an outage had its chance to refuse it, which it must not get twice.
func (x *exchange) dial() (drawn bool, err error) {
	if err := x.gone(); err != nil {
		return false, err
	}
	x.arrived = time.Now()
	x.api.schedule.run(x.arrived)
	_ = x.req.readTarget(x.http) // what is wrong with it, the service says
	if !x.req.isForm() {
		x.script = x.api.nextScripted(x.req.Service, x.req.Action, undialled)
	}
	isRefused := x.script.from != nil
	if !isRefused && (!x.script.waiting || x.script.Handled) {
		if o, ok := x.api.outage(&x.req, x.arrived); ok && o.Refuse > 0 {
			drawn = true
			isRefused = x.rand().Float64() < o.Refuse
		}
	}
	if !isRefused {
		return drawn, nil
	}
	return drawn, x.refuse()
}

// refuse notes the refused connection and returns the error, when it has come back.
func (x *exchange) refuse() error {
	t := newTrace(x.http)
	if err := x.travel(); err != nil {
		return err
	}
	x.open()
	x.close(Refused, nil)
	if err := x.travel(); err != nil {
		return err
	}
	err := dialRefused(x.http)
	t.refused(err)
	return err
}
