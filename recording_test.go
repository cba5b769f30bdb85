package tencenthttp

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTransport_StreamsABodyWithoutGetBody(t *testing.T) {
	const content = "0123456789"
	rows := []struct {
		name   string
		max    int64
		length int64
		calls  int
	}{
		{"C5 kept", 10, 10, 2},
		{"C5 kept, unknown length", 10, -1, 2},
		{"C5 above MaxReplay", 9, 10, 1},
		{"C5 above MaxReplay, unknown length", 9, -1, 1},
		{"C5 MaxReplay 0", 0, -1, 1},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			base := scripted(reply(200, apiError("InternalError")), reply(200, success))
			req := withoutGetBody(newRequest(t, "RunInstances", content))
			req.ContentLength = row.length
			resp, err := newTransport(t, base, WithMaxReplay(row.max)).RoundTrip(req)
			require.NoError(t, err)
			readAll(t, resp)
			require.Equal(t, row.calls, base.attempts())
			for i, body := range base.bodies {
				assert.Equal(t, content, body)
				assert.Equal(t, row.length, base.requests[i].ContentLength)
			}
		})
	}
	t.Run("C5 above MaxReplay, but never read", func(t *testing.T) {
		base := rawScripted(fail(errLost), func(req *http.Request) (*http.Response, error) {
			data, err := io.ReadAll(req.Body)
			assert.Equal(t, content, string(data))
			req.Body.Close()
			return answer(200, success), err
		})
		resp, err := newTransport(t, base, WithMaxReplay(1)).RoundTrip(withoutGetBody(newRequest(t, "RunInstances", content)))
		require.NoError(t, err)
		readAll(t, resp)
	})
	t.Run("C5 a source that blocks is read no further than the base asks", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			source, feed := io.Pipe()
			go feed.Write([]byte("begin"))
			base := rawScripted(func(req *http.Request) (*http.Response, error) {
				_, err := io.ReadFull(req.Body, make([]byte, 5))
				require.NoError(t, err)
				go io.Copy(io.Discard, req.Body) // blocks until the source is closed
				synctest.Wait()
				return answer(503, ""), nil
			})
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			req := newRequest(t, "RunInstances", "").WithContext(ctx)
			req.Body, req.ContentLength = source, -1
			start := time.Now()
			resp, err := newTransport(t, base, WithIdempotentActions("*")).RoundTrip(req)
			require.NoError(t, err)
			assert.Equal(t, 503, resp.StatusCode)
			assert.Zero(t, time.Since(start))
			assert.Equal(t, 1, base.attempts(), "the body is in use")
			base.requests[0].Body.Close()
		})
	})
}

func TestTransport_BodyIsReadOnDuringTheBackOff(t *testing.T) {
	rows := []struct {
		name  string
		max   int64
		pause time.Duration // in the middle of the body
		calls int
	}{
		{"C5 to its end", 10, time.Second, 2},
		{"C5 beyond MaxReplay", 9, time.Second, 1},
		{"C5 C27 and the read blocks", 10, time.Minute, 1},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source := &trackedBody{Reader: io.MultiReader(strings.NewReader("01234"), readerFunc(func([]byte) (int, error) {
					time.Sleep(row.pause)
					return 0, io.EOF
				}))}
				source.Reader = io.MultiReader(source.Reader, strings.NewReader("56789"))
				early := func(req *http.Request) (*http.Response, error) { // the body is still on its way
					go func() {
						time.Sleep(time.Second)
						io.Copy(io.Discard, req.Body)
						req.Body.Close()
					}()
					return answer(200, apiError("OperationDenied.MutexTaskRunning")), nil
				}
				base := rawScripted(early, func(req *http.Request) (*http.Response, error) {
					data, err := io.ReadAll(req.Body)
					req.Body.Close()
					assert.Equal(t, "0123456789", string(data))
					return answer(200, success), err
				})
				req := newRequest(t, "RunInstances", "")
				req.Body, req.ContentLength = source, -1
				start := time.Now()
				slow := WithBackOff(func() backoff.BackOff { return backoff.NewConstantBackOff(10 * time.Second) })
				resp, err := newTransport(t, base, WithMaxReplay(row.max), slow).RoundTrip(req)
				require.NoError(t, err)
				assert.Equal(t, map[int]string{1: apiError("OperationDenied.MutexTaskRunning"), 2: success}[row.calls], readAll(t, resp))
				assert.Equal(t, row.calls, base.attempts())
				assert.Equal(t, 10*time.Second, time.Since(start))
				time.Sleep(time.Hour)
				assert.EqualValues(t, 1, source.closes.Load(), "C2")
			})
		})
	}
}

func TestRecording_CloseCounts(t *testing.T) {
	setup := func(t *testing.T) (*recording, *trackedBody, *recordedBody) {
		source := &trackedBody{Reader: strings.NewReader("content")}
		r := &recording{source: source, max: 100}
		first, err := r.reader()
		require.NoError(t, err)
		return r, source, first
	}
	t.Run("C2 the base closes after the call has returned", func(t *testing.T) {
		r, source, body := setup(t)
		r.finish(false)
		assert.Zero(t, source.closes.Load())
		require.NoError(t, body.Close())
		require.NoError(t, body.Close())
		assert.EqualValues(t, 1, source.closes.Load())
	})
	t.Run("C2 an earlier attempt's body is closed late", func(t *testing.T) {
		r, source, first := setup(t)
		second, err := r.reader()
		require.NoError(t, err)
		require.NoError(t, first.Close())
		r.finish(false)
		require.NoError(t, first.Close())
		assert.Zero(t, source.closes.Load(), "the second attempt still uploads")
		data, err := io.ReadAll(second)
		require.NoError(t, err)
		assert.Equal(t, "content", string(data))
		require.NoError(t, second.Close())
		assert.EqualValues(t, 1, source.closes.Load())
	})
	t.Run("C3 an earlier attempt's body reads nothing any more", func(t *testing.T) {
		r, _, first := setup(t)
		_, err := r.reader()
		require.NoError(t, err)
		_, err = first.Read(make([]byte, 1))
		require.ErrorIs(t, err, errBodyReplaced)
	})
}

func TestRecording_Copy(t *testing.T) {
	r := &recording{source: io.NopCloser(strings.NewReader("content")), max: 100}
	body, err := r.reader()
	require.NoError(t, err)
	_, err = r.copy()
	require.ErrorIs(t, err, errBodyTooLarge, "nothing was read yet")
	_, err = io.Copy(io.Discard, body)
	require.NoError(t, err)
	for range 2 {
		whole, err := r.copy()
		require.NoError(t, err)
		data, _ := io.ReadAll(whole)
		assert.Equal(t, "content", string(data))
	}
	r.mu.Lock() // as while the source is read
	defer r.mu.Unlock()
	_, err = r.copy()
	require.ErrorIs(t, err, errBodyInUse)
	_, err = r.reader()
	require.ErrorIs(t, err, errBodyInUse)
}
