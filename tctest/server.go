package tctest

import (
	"context"
	"errors"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"time"
)

// Server is an API behind a real socket on the loopback interface. NewServer starts one; Close must be called at its end.
type Server struct {
	*API
	// URL is where it listens, such as http://127.0.0.1:4711, without a trailing slash.
	URL string
	// HTTP is the server underneath, for its Certificate, Listener or Config. It is running already.
	HTTP *httptest.Server

	transport *redirect
	stop      context.CancelFunc
}

// NewServer starts a server for a new API. It speaks HTTP/1.1 in the clear unless WithTLS or WithHTTP2 is given. It panics if it
// cannot listen, as httptest does.
func NewServer(opts ...Option) *Server { return New(opts...).NewServer() }

// NewServer starts a server for the API, which may have several, and be used in memory at the same time.
func (a *API) NewServer() *Server {
	ctx, stop := context.WithCancel(context.Background())
	s := &Server{API: a, HTTP: httptest.NewUnstartedServer(a), stop: stop}
	s.HTTP.Config.BaseContext = func(net.Listener) context.Context { return ctx }
	s.HTTP.Config.ErrorLog = log.New(untilDone{ctx, os.Stderr}, "", log.LstdFlags)
	s.HTTP.EnableHTTP2 = a.http2
	if a.tls {
		s.HTTP.StartTLS()
	} else {
		s.HTTP.Start()
	}
	s.URL = s.HTTP.URL
	s.transport = newRedirect(s)
	return s
}

// Close ends all calls under way, those that hang too, and shuts the server down. The record stays readable.
func (s *Server) Close() {
	s.stop()
	s.transport.CloseIdleConnections()
	s.HTTP.CloseClientConnections()
	s.HTTP.Close()
}

// untilDone writes until the context is done: that connections break when their server is closed is no news.
type untilDone struct {
	ctx context.Context
	io.Writer
}

func (w untilDone) Write(p []byte) (int, error) {
	select {
	case <-w.ctx.Done():
		return len(p), nil
	default:
		return w.Writer.Write(p)
	}
}

// CloseClientConnections breaks all connections, whatever they are doing.
func (s *Server) CloseClientConnections() { s.HTTP.CloseClientConnections() }

// ServeHTTP implements http.Handler, so that an API can be put behind a server of any kind.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{api: a, caller: caller{ctx: r.Context()}, http: r}
	x.admitted = r.Header.Get(admittedHeader) != ""
	r.Header.Del(admittedHeader)
	x.readBody = func(limit int64) ([]byte, error) {
		b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			return nil, errTooLarge
		}
		return b, err
	}
	rep, err := x.run()
	if err != nil {
		panic(http.ErrAbortHandler) // nobody is there to read an answer
	}
	switch rep.cut {
	case CutDial, CutBeforeRead:
		reset(w)
	case CutBeforeAnswer:
		panic(http.ErrAbortHandler)
	default:
		x.write(w, rep)
	}
}

// write puts the reply on the wire.
func (x *exchange) write(w http.ResponseWriter, rep *reply) {
	h := w.Header()
	h["Date"], h["Content-Type"] = nil, nil // or net/http makes them up
	maps.Copy(h, rep.header)
	control := http.NewResponseController(w)
	w.WriteHeader(rep.status)
	pauses := len(rep.body) > 1 || rep.length < 0 || rep.cut == CutInBody || len(rep.body) == 1 && rep.body[0].pause != 0
	due := time.Now()
	for _, s := range rep.body {
		if s.pause != 0 {
			due = due.Add(max(0, s.pause))
			left := s.pause
			if left > 0 {
				left = max(0, time.Until(due))
			}
			_ = control.Flush() // what was written so far; an error shows in the wait
			if x.wait(left, nil) != nil {
				panic(http.ErrAbortHandler)
			}
		}
		if _, err := w.Write(s.data); err != nil {
			panic(http.ErrAbortHandler)
		}
	}
	if pauses {
		_ = control.Flush()
	}
	if rep.cut == CutInBody {
		panic(http.ErrAbortHandler)
	}
}

// reset breaks the connection off in such a way that the client sees ECONNRESET. HTTP/2 resets the one stream instead.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	raw := conn
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok {
		raw = t.NetConn()
	}
	if tcp, ok := raw.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = raw.Close()
}
