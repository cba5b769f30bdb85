package tencenthttp

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tencenthttp/tencenthttp/tctest"
)

func TestWithToken(t *testing.T) {
	for name, row := range map[string]struct{ object, want string }{
		"empty object":            {`{}`, `{"ClientToken":"T"}`},
		"space in it":             {" {\n} ", " {\"ClientToken\":\"T\"\n} "},
		"members":                 {`{"a":1.0e5,"b":"é\u00e9"}`, `{"ClientToken":"T","a":1.0e5,"b":"é\u00e9"}`},
		"one deeper down":         {`{"a":{"ClientToken":"x"}}`, `{"ClientToken":"T","a":{"ClientToken":"x"}}`},
		"has one":                 {`{"ClientToken":"x"}`, ""},
		"has an empty one":        {`{"a":1,"ClientToken":""}`, ""},
		"has one, in escapes":     {`{"\u0043lientToken":"x"}`, ""},
		"no object":               {`[]`, ""},
		"no JSON":                 {`{"a":}`, ""},
		"nothing":                 {``, ""},
		"a number beyond float64": {`{"a":123456789012345678901234567890}`, `{"ClientToken":"T","a":123456789012345678901234567890}`},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := withToken([]byte(row.object), "T")
			assert.Equal(t, row.want, string(got))
			assert.Equal(t, row.want != "", ok)
		})
	}
}

func TestTransport_ClientToken(t *testing.T) {
	newAPI := func() *tctest.API { return tctest.New(tctest.WithCredential(testID, testKey, "")) }
	options := func(opts ...Option) []Option {
		return append(opts, WithBackOff(noDelay), WithSigner(TC3Signer(testKeys)))
	}
	cut := tctest.Broken(tctest.CutBeforeAnswer)

	t.Run("C42 the same token in every attempt", func(t *testing.T) {
		for name, spoil := range map[string]func(*http.Request){
			"with GetBody":    func(*http.Request) {},
			"without GetBody": func(req *http.Request) { req.GetBody = nil },
		} {
			t.Run(name, func(t *testing.T) {
				api := newAPI()
				api.Script("RunInstances", cut.Times(2))
				rt, err := NewTransport(api.RoundTripper(), options(WithClientTokens())...)
				require.NoError(t, err)
				req := signedRequest(t, testKeys, 0, "RunInstances", `{"InstanceCount":1}`)
				spoil(req)
				assert.Empty(t, codeOf(t, rt, req))
				calls := api.Calls()
				require.Len(t, calls, 3)
				assert.Len(t, calls[0].ClientToken, 26)
				for _, call := range calls {
					assert.Equal(t, calls[0].Body, call.Body)
				}
			})
		}
	})
	t.Run("off unless asked for", func(t *testing.T) {
		api := newAPI()
		api.Script("RunInstances", cut)
		rt, err := NewTransport(api.RoundTripper(), options()...)
		require.NoError(t, err)
		_, err = rt.RoundTrip(signedRequest(t, testKeys, 0, "RunInstances", `{}`))
		require.ErrorIs(t, err, io.EOF)
		assert.Equal(t, 1, api.Count())
	})
	t.Run("other actions, and calls that have one, stay as they are", func(t *testing.T) {
		api := newAPI()
		rt, err := NewTransport(api.RoundTripper(), options(WithClientTokens("cvm:RunInstances"))...)
		require.NoError(t, err)
		for _, row := range [][2]string{{"StopInstances", `{}`}, {"RunInstances", `{"ClientToken":"mine"}`}} {
			for _, keep := range []bool{true, false} {
				req := signedRequest(t, testKeys, 0, row[0], row[1])
				if !keep {
					req.GetBody = nil
				}
				assert.Empty(t, codeOf(t, rt, req))
				calls := api.Calls()
				assert.Equal(t, row[1], string(calls[len(calls)-1].Body))
			}
		}
	})
	t.Run("a body longer than WithMaxReplay stays whole", func(t *testing.T) {
		base := scripted(reply(http.StatusOK, success))
		rt, err := NewTransport(base, options(WithClientTokens(), WithMaxReplay(8))...)
		require.NoError(t, err)
		body := `{"InstanceName":"` + strings.Repeat("n", 100) + `"}`
		req := signedRequest(t, testKeys, 0, "RunInstances", body)
		req.Body, req.GetBody, req.ContentLength = io.NopCloser(strings.NewReader(body)), nil, -1
		resp, err := rt.RoundTrip(req)
		require.NoError(t, err)
		resp.Body.Close()
		assert.Equal(t, body, base.bodies[0])
	})
	t.Run("the caller's body is closed once", func(t *testing.T) {
		for _, getBody := range []bool{true, false} {
			body := &trackedBody{Reader: strings.NewReader(`{}`)}
			req := signedRequest(t, testKeys, 0, "RunInstances", `{}`)
			req.Body = body
			if !getBody {
				req.GetBody = nil
			}
			rt, err := NewTransport(scripted(reply(http.StatusOK, success)), options(WithClientTokens())...)
			require.NoError(t, err)
			assert.Empty(t, codeOf(t, rt, req))
			assert.EqualValues(t, 1, body.closes.Load())
		}
	})
	t.Run("a body that cannot be read", func(t *testing.T) {
		body := &trackedBody{Reader: io.MultiReader(strings.NewReader("{"), errorReader{})}
		req := signedRequest(t, testKeys, 0, "RunInstances", `{}`)
		req.Body, req.GetBody = body, nil
		rt, err := NewTransport(scripted(reply(http.StatusOK, success)), options(WithClientTokens())...)
		require.NoError(t, err)
		_, err = rt.RoundTrip(req)
		require.ErrorIs(t, err, errRead)
		assert.EqualValues(t, 1, body.closes.Load())
	})
}

var errRead = io.ErrNoProgress

type errorReader struct{}

func (errorReader) Read([]byte) (int, error) { return 0, errRead }
