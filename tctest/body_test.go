package tctest_test

import (
	"context"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tencenthttp/tencenthttp/tctest"
)

func TestRoundTripper_AnswersBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := tctest.New()
		get := func(ans tctest.Answer) io.ReadCloser {
			api.Script("X", ans)
			resp, err := api.RoundTripper().RoundTrip(newCall(t, "X", "{}"))
			require.NoError(t, err)
			return resp.Body
		}
		b := get(tctest.Raw(200, "", "hello"))
		n, err := b.Read(nil)
		assert.True(t, n == 0 && err == nil)
		p := make([]byte, 3)
		n, err = b.Read(p)
		assert.True(t, n == 3 && err == nil)
		n, err = b.Read(p)
		assert.True(t, n == 2 && err == io.EOF, "EOF comes with the last bytes")
		n, err = b.Read(p)
		assert.True(t, n == 0 && err == io.EOF)
		assert.NoError(t, b.Close())
		assert.NoError(t, b.Close())
		_, err = b.Read(p)
		assert.ErrorContains(t, err, "read on closed response body")

		// The service sends on its own schedule: what came while nobody read is there at once.
		b = get(tctest.EventStream(tctest.Event{Data: "a"}, tctest.Event{Data: "b", Pause: time.Second}, tctest.Event{Data: "c", Pause: time.Second}))
		time.Sleep(1500 * time.Millisecond)
		begun := time.Now()
		all, err := io.ReadAll(b)
		assert.NoError(t, err)
		assert.Equal(t, "data: a\n\ndata: b\n\ndata: c\n\n", string(all))
		assert.Equal(t, 500*time.Millisecond, time.Since(begun))

		// Close ends a Read that waits.
		b = get(tctest.Success(nil).StallAt(0, -1))
		time.AfterFunc(time.Second, func() { _ = b.Close() })
		_, err = b.Read(p)
		assert.ErrorContains(t, err, "read on closed response body")

		// A stall before the end of the body comes before EOF.
		b = get(tctest.Raw(200, "", "hello").StallAt(99, time.Second))
		begun = time.Now()
		all, err = io.ReadAll(b)
		assert.NoError(t, err)
		assert.Equal(t, "hello", string(all))
		assert.Equal(t, time.Second, time.Since(begun))
	})
}

func TestRoundTripper_Gzip(t *testing.T) {
	for _, form := range forms {
		t.Run(form, func(t *testing.T) {
			_, rt := inForm(t, form, tctest.WithGzip())
			r := newCall(t, "X", "{}")
			r.Header.Set("Accept-Encoding", "gzip")
			resp, err := rt.RoundTrip(r)
			require.NoError(t, err)
			raw, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			assert.Equal(t, "gzip", resp.Header.Get("Content-Encoding"))
			assert.EqualValues(t, len(raw), resp.ContentLength)
			assert.Equal(t, "\x1f\x8b", string(raw[:2]))
			r = newCall(t, "X", "{}")
			r.Header.Set("Accept-Encoding", "identity")
			assert.Contains(t, send(t, rt, r), `{"Response":`)
		})
	}
}

// A stream is flushed after each event, compressed or not.
func TestRoundTripper_GzipOfAStream(t *testing.T) {
	inAllForms(t, func(t *testing.T, api *tctest.API, rt http.RoundTripper) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		api.Script("X", tctest.EventStream(tctest.Event{Data: "first"}, tctest.Event{Data: "never", Pause: -1}))
		resp, err := rt.RoundTrip(newCall(t, "X", "{}").WithContext(ctx))
		require.NoError(t, err)
		p := make([]byte, 13)
		_, err = io.ReadFull(resp.Body, p)
		require.NoError(t, err)
		assert.Equal(t, "data: first\n\n", string(p))
		assert.True(t, resp.Uncompressed)
		cancel()
		_, err = resp.Body.Read(p)
		assert.ErrorIs(t, err, context.Canceled)
		_ = resp.Body.Close()
	}, tctest.WithGzip())
}

func TestRoundTripper_Head(t *testing.T) {
	for _, form := range forms {
		_, rt := inForm(t, form)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodHead, endpoint, nil)
		require.NoError(t, err)
		resp, err := rt.RoundTrip(r)
		require.NoError(t, err)
		b, err := io.ReadAll(resp.Body)
		assert.NoError(t, err)
		assert.Empty(t, b)
		assert.Positive(t, resp.ContentLength, form)
		assert.NoError(t, resp.Body.Close())
	}
}
