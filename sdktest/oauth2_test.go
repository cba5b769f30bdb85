package sdktest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/tctest"
)

// countedTokens gives a new token each time, or fails.
type countedTokens struct {
	n        int
	failures int
}

var errNoToken = errors.New("the token endpoint is down")

func (s *countedTokens) Token() (*oauth2.Token, error) {
	if s.n++; s.n <= s.failures {
		return nil, errNoToken
	}
	return &oauth2.Token{AccessToken: fmt.Sprint("token-", s.n)}, nil
}

func post(client *http.Client, action, body string) (string, error) {
	req, err := http.NewRequest(http.MethodPost, "https://"+cvmHost+"/", strings.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-TC-Action", action)
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	return string(answer), err
}

func TestOauth2_OutsideAndInside(t *testing.T) {
	for name, row := range map[string]struct {
		stack      func(*testing.T, oauth2.TokenSource, http.RoundTripper) http.RoundTripper
		wantTokens []string
	}{
		"outside: one token for a call": {
			func(t *testing.T, source oauth2.TokenSource, base http.RoundTripper) http.RoundTripper {
				return &oauth2.Transport{Source: source, Base: newTransport(t, base, tencenthttp.WithoutPacing())}
			},
			[]string{"Bearer token-1", "Bearer token-1", "Bearer token-1"},
		},
		"inside: one for each attempt": {
			func(t *testing.T, source oauth2.TokenSource, base http.RoundTripper) http.RoundTripper {
				return newTransport(t, &oauth2.Transport{Source: source, Base: base}, tencenthttp.WithoutPacing())
			},
			[]string{"Bearer token-1", "Bearer token-2", "Bearer token-3"},
		},
	} {
		for _, base := range unsignedBases {
			t.Run(name+"/"+base.name, func(t *testing.T) {
				api, wire := base.dial(t, tctest.WithScript("*", tctest.Fail("RequestLimitExceeded"), tctest.Fail("InternalError")))
				client := &http.Client{Transport: row.stack(t, &countedTokens{}, wire)}

				answer, err := post(client, "RunInstances", `{"InstanceCount":1}`)

				require.NoError(t, err)
				assert.NotContains(t, answer, "Error")
				var tokens []string
				for _, call := range api.Calls() {
					tokens = append(tokens, call.Header.Get("Authorization"))
					assert.Equal(t, `{"InstanceCount":1}`, string(call.Body))
				}
				assert.Equal(t, row.wantTokens, tokens)
			})
		}
	}
}

func TestOauth2_ConnectionLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := tctest.New(tctest.WithScript("*", tctest.Broken(tctest.CutBeforeAnswer).Forever()))
		client := &http.Client{Transport: newTransport(t, &oauth2.Transport{Source: &countedTokens{}, Base: api.RoundTripper()})}

		_, err := post(client, "RunInstances", `{}`)
		require.ErrorIs(t, err, io.EOF)
		assert.Equal(t, 1, api.Count("RunInstances"))
		_, err = post(client, "RunInstances", `{"ClientToken":"token-1"}`)
		require.ErrorIs(t, err, io.EOF)
		assert.Equal(t, 1+4, api.Count("RunInstances"))
	})
}

// Inside, a token that could not be had is an attempt that never left: it is made again, whatever the action.
func TestOauth2_TokenSourceFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := tctest.New()
		source := &countedTokens{failures: 2}
		client := &http.Client{Transport: newTransport(t, &oauth2.Transport{Source: source, Base: api.RoundTripper()})}

		_, err := post(client, "RunInstances", `{}`)

		require.NoError(t, err)
		assert.Equal(t, 3, source.n)
		assert.Equal(t, 1, api.Count())
	})
}
