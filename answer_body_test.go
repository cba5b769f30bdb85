package tencenthttp

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnswerBody_ClosedAsTheBaseIs(t *testing.T) {
	get := func(t *testing.T, content string) (*http.Response, *trackedBody) {
		resp := answer(200, content)
		body := resp.Body.(*trackedBody)
		got, err := newTransport(t, scripted(give(resp))).RoundTrip(newRequest(t, "RunInstances", `{}`))
		require.NoError(t, err)
		return got, body
	}
	t.Run("C23 closed early, then read", func(t *testing.T) {
		resp, _ := get(t, success)
		_, err := io.ReadFull(resp.Body, make([]byte, 10))
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		n, err := resp.Body.Read(make([]byte, 10))
		assert.Zero(t, n)
		assert.Equal(t, http.ErrBodyReadAfterClose, err)
	})
	t.Run("C23 read to its end, closed, then read", func(t *testing.T) {
		resp, _ := get(t, success)
		assert.Equal(t, success, readAll(t, resp))
		_, err := resp.Body.Read(make([]byte, 10))
		assert.Equal(t, http.ErrBodyReadAfterClose, err)
	})
	t.Run("C23 closed twice", func(t *testing.T) {
		resp, body := get(t, success)
		assert.NoError(t, resp.Body.Close())
		assert.NoError(t, resp.Body.Close())
		assert.EqualValues(t, 2, body.closes.Load(), "what that means is up to the base")
	})
	t.Run("C23 Close fails as the base's does", func(t *testing.T) {
		resp := answer(200, success)
		resp.Body = failingClose{strings.NewReader(success)}
		got, err := newTransport(t, scripted(give(resp))).RoundTrip(newRequest(t, "RunInstances", `{}`))
		require.NoError(t, err)
		assert.Equal(t, errLost, got.Body.Close())
	})
	t.Run("C23 read again after the end", func(t *testing.T) {
		resp, _ := get(t, success)
		_, err := io.Copy(io.Discard, resp.Body)
		require.NoError(t, err)
		for range 2 {
			n, err := resp.Body.Read(make([]byte, 10))
			assert.Zero(t, n)
			assert.Equal(t, io.EOF, err)
		}
	})
	t.Run("C23 closed beside a Read", func(t *testing.T) {
		for range 100 {
			resp, _ := get(t, jsonOf(20<<10))
			var both sync.WaitGroup
			both.Go(func() { io.Copy(io.Discard, resp.Body) })
			both.Go(func() { resp.Body.Close() })
			both.Wait()
		}
	})
}

func TestTransport_ClosesAnswersThatItThrowsAway(t *testing.T) {
	rows := []struct {
		name   string
		change func(*http.Response)
		drawn  int64 // bytes that may be read of it
	}{
		{"C22 looked at", func(*http.Response) {}, maxDrain},
		{"C22 not looked at", func(r *http.Response) { r.Header.Set("Content-Type", "text/html") }, maxDrain},
		{"C22 endless", func(r *http.Response) {
			r.Header.Set("Content-Type", "text/html")
			r.ContentLength, r.Body.(*trackedBody).Reader = -1, &hugeObject{left: 1 << 40}
		}, maxDrain},
		{"C22 breaks off", func(r *http.Response) {
			r.Header.Set("Content-Type", "text/html")
			r.Body.(*trackedBody).Reader = errReader{errLost}
		}, 0},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			thrown := answer(503, apiError("InternalError"))
			body := thrown.Body.(*trackedBody)
			row.change(thrown)
			counted := &countingReader{Reader: body.Reader}
			body.Reader = counted
			resp, err := newTransport(t, scripted(give(thrown), reply(200, success))).RoundTrip(newRequest(t, "DescribeRegions", `{}`))
			require.NoError(t, err)
			assert.Equal(t, success, readAll(t, resp))
			assert.Positive(t, body.closes.Load())
			assert.LessOrEqual(t, counted.n, row.drawn)
		})
	}
}

type countingReader struct {
	io.Reader
	n int64
}

func (r *countingReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.n += int64(n)
	return n, err
}

type failingClose struct{ io.Reader }

func (failingClose) Close() error { return errLost }

func TestAnswerBody_WriteTo(t *testing.T) {
	end := func(err error) io.Reader { return errReader{err} }
	rows := []struct {
		name    string
		content string
		end     error
		read    int64 // bytes read before
		room    int   // what the writer takes; below 0: everything
		wrote   string
		err     error
	}{
		{name: "C14 whole", content: success, end: io.EOF, room: -1, wrote: success},
		{name: "C14 from the middle", content: success, end: io.EOF, read: 10, room: -1, wrote: success[10:]},
		{name: "C14 from the end", content: success, end: io.EOF, read: int64(len(success)), room: -1},
		{name: "C14 longer than the look", content: jsonOf(100 << 10), end: io.EOF, read: 10, room: -1, wrote: jsonOf(100 << 10)[10:]},
		{name: "C16 error beyond the look", content: jsonOf(100 << 10), end: errLost, room: -1, wrote: jsonOf(100 << 10), err: errLost},
		{name: "C14 the writer fails", content: success, end: io.EOF, read: 10, room: 5, wrote: success[10:15], err: errLost},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			resp := answer(200, "")
			resp.ContentLength = -1
			resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(row.content), end(row.end)))
			base := scripted(give(resp))
			got, err := newTransport(t, base, WithAttemptTimeout(time.Minute)).RoundTrip(newRequest(t, "RunInstances", `{}`))
			require.NoError(t, err)
			_, err = io.CopyN(io.Discard, got.Body, row.read)
			require.NoError(t, err)
			w := &narrowWriter{room: row.room}
			n, err := io.Copy(w, got.Body)
			assert.Equal(t, row.err, err)
			assert.EqualValues(t, len(row.wrote), n)
			assert.True(t, row.wrote == w.String())
			if row.room >= 0 {
				rest, err := io.ReadAll(got.Body)
				require.NoError(t, err)
				assert.Equal(t, row.content, row.content[:row.read]+w.String()+string(rest), "nothing is lost")
			}
			assert.Error(t, base.requests[0].Context().Err(), "C25 the attempt's context is released")
		})
	}
	t.Run("a writer that says less than it was given, and no error", func(t *testing.T) {
		resp, err := newTransport(t, scripted(reply(200, success))).RoundTrip(newRequest(t, "RunInstances", `{}`))
		require.NoError(t, err)
		n, err := resp.Body.(io.WriterTo).WriteTo(writerFunc(func([]byte) (int, error) { return 3, nil }))
		assert.EqualValues(t, 3, n)
		assert.Equal(t, io.ErrShortWrite, err)
		assert.Equal(t, success[3:], readAll(t, resp))
	})
	t.Run("C23 after Close", func(t *testing.T) {
		resp, err := newTransport(t, scripted(reply(200, success))).RoundTrip(newRequest(t, "RunInstances", `{}`))
		require.NoError(t, err)
		resp.Body.Close()
		n, err := io.Copy(io.Discard, resp.Body)
		assert.Zero(t, n)
		assert.Equal(t, http.ErrBodyReadAfterClose, err)
	})
}

// narrowWriter takes no more than room bytes, and then fails.
type narrowWriter struct {
	strings.Builder
	room int
}

func (w *narrowWriter) Write(p []byte) (int, error) {
	if w.room >= 0 && len(p) > w.room {
		n, _ := w.Builder.Write(p[:w.room])
		w.room = 0
		return n, errLost
	}
	return w.Builder.Write(p)
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestAnswerBody_NobodyElseGetsItsBuffer(t *testing.T) {
	rt := newTransport(t, roundTripFunc(func(req *http.Request) (*http.Response, error) {
		return answer(200, `{"Response":{"RequestId":"`+req.Header.Get("X-Tc-Action")+strings.Repeat(".", 1000)+`"}}`), nil
	}))
	get := func(action string) *http.Response {
		resp, err := rt.RoundTrip(newRequest(t, action, `{}`))
		require.NoError(t, err)
		return resp
	}
	var all sync.WaitGroup
	for _, action := range []string{"A", "B", "C", "D"} {
		all.Go(func() {
			for range 50 {
				open, half, closed := get(action), get(action), get("Closed")
				part := make([]byte, 100)
				_, err := io.ReadFull(half.Body, part)
				assert.NoError(t, err)
				closed.Body.Close()
				readAll(t, get("Other")) // its buffer is free now, and may be used again
				readAll(t, get("Other"))
				want := `{"Response":{"RequestId":"` + action + strings.Repeat(".", 1000) + `"}}`
				assert.Equal(t, want, readAll(t, open), "C23")
				assert.Equal(t, want, string(part)+readAll(t, half), "C23")
			}
		})
	}
	all.Wait()
}
