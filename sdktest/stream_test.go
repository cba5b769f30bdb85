package sdktest

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	tchttp "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/http"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/tctest"
)

// chatResponse is a response as the SDK's generators make it for an action that answers with server-sent events.
type chatResponse struct {
	tchttp.BaseSSEResponse `json:"-"`
	Response               *struct{ RequestId *string } `json:"Response"`
}

func chat(ctx context.Context, t *testing.T, rt *tencenthttp.Transport, edits ...profileEdit) (*chatResponse, error) {
	t.Helper()
	request := newCommonRequest(t, "ChatCompletions", map[string]any{"Stream": true})
	request.SetContext(ctx)
	response := &chatResponse{}
	return response, newCommon(rt, edits...).Send(request, response)
}

func TestSDK_EventStreamAfterThrottles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI(tctest.WithScript("ChatCompletions", tctest.Fail("RequestLimitExceeded.UinLimitExceeded").Times(2),
			tctest.EventStream(tctest.Event{ID: "1", Name: "token", Data: "Hello"}, tctest.Event{Pause: 10 * time.Second, ID: "2", Data: "two\nlines"})))

		response, err := chat(t.Context(), t, newTransport(t, api.RoundTripper()))

		require.NoError(t, err)
		assert.Equal(t, 3, api.Count())
		start := time.Now()
		assert.Equal(t, tchttp.SSEvent{Id: "1", Event: "token", Data: []byte("Hello")}, <-response.Events)
		assert.Zero(t, time.Since(start))
		assert.Equal(t, tchttp.SSEvent{Id: "2", Data: []byte("two\nlines")}, <-response.Events)
		assert.Equal(t, 10*time.Second, time.Since(start))
		_, more := <-response.Events
		assert.False(t, more)
	})
}

func TestSDK_EventStreamThatFails(t *testing.T) {
	for name, row := range map[string]struct {
		answer    tctest.Answer
		wantCode  string
		wantCalls int
	}{
		"fatal":             {tctest.Fail("AuthFailure.TokenFailure"), "AuthFailure.TokenFailure", 1},
		"fault":             {tctest.Fail("InternalError"), "InternalError", 4},
		"connection broken": {tctest.Broken(tctest.CutBeforeAnswer), "ClientError.NetworkError", 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := newAPI(tctest.WithScript("ChatCompletions", row.answer.Forever()))
				response, err := chat(t.Context(), t, newTransport(t, api.RoundTripper()))
				assert.Equal(t, row.wantCode, requireSDKError(t, err).GetCode())
				assert.Equal(t, row.wantCalls, api.Count())
				assert.Nil(t, response.Events)
			})
		})
	}
}

func TestSDK_FirstEventArrivesWhileTheServerHoldsTheRest(t *testing.T) {
	for _, base := range bases {
		t.Run(base.name, func(t *testing.T) {
			api, wire := base.dial(t, tctest.WithScript("ChatCompletions",
				tctest.EventStream(tctest.Event{Data: "first"}, tctest.Event{Pause: -1, Data: "never"})))
			ctx, cancel := context.WithCancel(t.Context())

			response, err := chat(ctx, t, newTransport(t, wire))

			require.NoError(t, err)
			assert.Equal(t, "first", string((<-response.Events).Data))
			cancel()
			for event := range response.Events { // at most the error
				assert.Error(t, event.Err)
			}
			assert.Equal(t, 1, api.Count())
		})
	}
}

// The SDK's ReqTimeout ends a stream, whatever the transport.
func TestSDK_ReqTimeoutEndsAnEventStream(t *testing.T) {
	for name, row := range map[string]struct {
		edits      []profileEdit
		wantEvents int
	}{
		"the default ReqTimeout of 60 s": {nil, 2},
		"no ReqTimeout":                  {[]profileEdit{reqTimeout(0)}, 5},
		"ReqTimeout of 10 minutes":       {[]profileEdit{reqTimeout(600)}, 5},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				event := tctest.Event{Pause: 25 * time.Second, Data: "tick"}
				api := newAPI(tctest.WithScript("ChatCompletions", tctest.EventStream(event, event, event, event, event)))

				response, err := chat(t.Context(), t, newTransport(t, api.RoundTripper()), row.edits...)

				require.NoError(t, err)
				assert.Equal(t, row.wantEvents, countEvents(response))
				assert.Equal(t, 1, api.Count())
			})
		})
	}
}

func countEvents(response *chatResponse) int {
	n := 0
	for event := range response.Events {
		if event.Err == nil {
			n++
		}
	}
	return n
}

// The SDK's parser drops what it has read but not delivered when resp.Request's context ends: an attempt's context must outlive
// its body's end, which may come with the last bytes.
func TestSDK_AttemptTimeoutLosesNoEvent(t *testing.T) {
	for _, base := range bases {
		t.Run(base.name, func(t *testing.T) {
			api, wire := base.dial(t, tctest.WithScript("ChatCompletions", tctest.EventStream(slices.Repeat([]tctest.Event{{Data: "token"}}, 50)...)))

			response, err := chat(t.Context(), t, newTransport(t, wire, tencenthttp.WithAttemptTimeout(time.Minute)))

			require.NoError(t, err)
			assert.Equal(t, 50, countEvents(response))
			assert.Equal(t, 1, api.Count())
		})
	}
}

func TestSDK_AttemptTimeoutDoesNotCutAnEventStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		event := tctest.Event{Pause: 25 * time.Second, Data: "tick"}
		api := newAPI(tctest.WithScript("ChatCompletions", tctest.EventStream(event, event, tctest.Event{Pause: 25 * time.Second})))

		response, err := chat(t.Context(), t, newTransport(t, api.RoundTripper(), tencenthttp.WithAttemptTimeout(time.Second)), reqTimeout(0))

		require.NoError(t, err)
		assert.Equal(t, "tick", string((<-response.Events).Data))
		assert.Equal(t, "tick", string((<-response.Events).Data), "50 s later")
		for range response.Events { // what becomes of the end is another test's
		}
		assert.Equal(t, 1, api.Count())
	})
}
