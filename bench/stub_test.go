package bench

import (
	"bytes"
	"io"
	"net/http"
)

// stub answers at once: with each script once, then with the last again and again. It does with the request's body what
// net/http does, and its answers have, as net/http's, bodies that can do nothing but Read and Close.
type stub struct {
	script [][]byte
	calls  int
}

// jsonHeader is shared by all answers, since building a header costs every contender the same.
var jsonHeader = http.Header{"Content-Type": {"application/json"}, "Server": {"nginx"}}

func (s *stub) RoundTrip(req *http.Request) (*http.Response, error) {
	_, err := io.Copy(io.Discard, req.Body)
	req.Body.Close()
	if err != nil {
		return nil, err
	}
	data := s.script[min(s.calls, len(s.script)-1)]
	s.calls++
	body := new(stubBody)
	body.data.Reset(data)
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: jsonHeader, Body: body, ContentLength: int64(len(data)), Request: req,
	}, nil
}

// stubBody hides the WriteTo of its reader, which would make the answer free to read.
type stubBody struct{ data bytes.Reader }

func (b *stubBody) Read(p []byte) (int, error) { return b.data.Read(p) }
func (b *stubBody) Close() error               { return nil }
