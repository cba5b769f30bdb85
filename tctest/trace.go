package tctest

import (
	"net"
	"net/http"
	"net/http/httptrace"
	"time"
)

// trace calls the hooks of net/http/httptrace, if the request has any.
type trace struct {
	hooks *httptrace.ClientTrace // nil: none
	addr  string
	got   bool
}

func newTrace(r *http.Request) *trace {
	t := &trace{hooks: httptrace.ContextClientTrace(r.Context())}
	if t.hooks == nil {
		return t
	}
	t.addr = hostPort(r)
	if t.hooks.GetConn != nil {
		t.hooks.GetConn(t.addr)
	}
	if t.hooks.ConnectStart != nil {
		t.hooks.ConnectStart("tcp", t.addr)
	}
	return t
}

// refused says that there is no connection.
func (t *trace) refused(err error) {
	if t.hooks != nil && t.hooks.ConnectDone != nil {
		t.hooks.ConnectDone("tcp", t.addr, err)
	}
}

// connected says that there is one, and that the headers went out on it; the second time it says nothing.
func (t *trace) connected() {
	if t.hooks == nil || t.got {
		return
	}
	t.got = true
	if t.hooks.ConnectDone != nil {
		t.hooks.ConnectDone("tcp", t.addr, nil)
	}
	if t.hooks.GotConn != nil {
		t.hooks.GotConn(httptrace.GotConnInfo{Conn: memoryConn{addr: memoryAddr(t.addr)}})
	}
	if t.hooks.WroteHeaders != nil {
		t.hooks.WroteHeaders()
	}
}

// wrote says that the request went out, or why not.
func (t *trace) wrote(err error) {
	if t.hooks != nil && t.hooks.WroteRequest != nil {
		t.hooks.WroteRequest(httptrace.WroteRequestInfo{Err: err})
	}
}

// answered says that the answer has begun.
func (t *trace) answered() {
	if t.hooks != nil && t.hooks.GotFirstResponseByte != nil {
		t.hooks.GotFirstResponseByte()
	}
}

// memoryConn is the connection that hooks are told of. Nothing can be read from it or written to it.
type memoryConn struct{ addr memoryAddr }

func (memoryConn) Read([]byte) (int, error)         { return 0, net.ErrClosed }
func (memoryConn) Write([]byte) (int, error)        { return 0, net.ErrClosed }
func (memoryConn) Close() error                     { return nil }
func (c memoryConn) LocalAddr() net.Addr            { return c.addr }
func (c memoryConn) RemoteAddr() net.Addr           { return c.addr }
func (memoryConn) SetDeadline(time.Time) error      { return nil }
func (memoryConn) SetReadDeadline(time.Time) error  { return nil }
func (memoryConn) SetWriteDeadline(time.Time) error { return nil }
