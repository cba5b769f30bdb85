package tencenthttp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/tencenthttp/tencenthttp/tctest"
)

const (
	testID  = "AKIDexampleexampleexampleexample"
	testKey = "secretsecretsecretsecretsecret"
)

// noDelay is a BackOff for tests that are not about time.
func noDelay() backoff.BackOff { return &backoff.ZeroBackOff{} }

var testKeys = StaticCredentials(testID, testKey, "")

// signedRequest returns a call as a client signs it, by a clock that is off by so much.
func signedRequest(t testing.TB, keys CredentialProvider, clock time.Duration, action, body string) *http.Request {
	t.Helper()
	req := unsignedRequest(t, action, body)
	require.NoError(t, TC3Signer(keys).Sign(req, time.Now().Add(clock)))
	return req
}

func unsignedRequest(t testing.TB, action, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://cvm.tencentcloudapi.com/", strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-TC-Action", action)
	req.Header.Set("X-TC-Version", "2017-03-12")
	req.Header.Set("X-TC-Region", "ap-guangzhou")
	return req
}

// codeOf sends the request and returns the error code of the answer.
func codeOf(t testing.TB, rt http.RoundTripper, req *http.Request) string {
	t.Helper()
	resp, err := rt.RoundTrip(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	envelope, err := ReadEnvelope(resp)
	require.NoError(t, err)
	switch {
	case envelope == nil:
		return resp.Status
	case envelope.Error == nil:
		return ""
	}
	return envelope.Error.Code
}

func TestTransport_SixMinutesInLine(t *testing.T) {
	for name, row := range map[string]struct {
		opts []Option
		want string
	}{
		"with a signer, it succeeds":                   {[]Option{WithSigner(TC3Signer(testKeys))}, ""},
		"without, the last real answer comes back":     {nil, "RequestLimitExceeded"},
		"a first attempt that waited is signed afresh": {[]Option{WithSigner(TC3Signer(testKeys)), WithLimiter(slowLimiter)}, ""},
	} {
		t.Run("C43 "+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := tctest.New(tctest.WithCredential(testID, testKey, ""))
				api.SetQuota("*", tctest.TokenBucket(1.0/400, 1))
				opts := append(row.opts, WithRateLimit(1.0/400, 1), WithMaxElapsedTime(time.Hour))
				rt, err := NewTransport(api.RoundTripper(), opts...)
				require.NoError(t, err)
				if row.want == "" && len(row.opts) > 1 {
					assert.Empty(t, codeOf(t, rt, signedRequest(t, testKeys, 0, "DescribeInstances", "{}")))
					assert.Equal(t, 1, api.Count())
					return
				}
				other := tctest.Fail("RequestLimitExceeded")
				api.Script("DescribeInstances", other)
				assert.Equal(t, row.want, codeOf(t, rt, signedRequest(t, testKeys, 0, "DescribeInstances", "{}")))
			})
		})
	}
}

// slowLimiter lets a call wait for six minutes.
func slowLimiter(Target) Limiter { return waitFunc(6 * time.Minute) }

type waitFunc time.Duration

func (d waitFunc) Wait(ctx context.Context) error {
	select {
	case <-time.After(time.Duration(d)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestTransport_ClockOff(t *testing.T) {
	for name, off := range map[string]time.Duration{"ahead": 10 * time.Minute, "behind": -10 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := tctest.New(tctest.WithCredential(testID, testKey, ""), tctest.WithClockOffset(off))
				var seen []ClockSkewInfo
				rt, err := NewTransport(api.RoundTripper(), WithSigner(TC3Signer(testKeys)),
					WithHooks(Hooks{ClockSkew: func(_ context.Context, info ClockSkewInfo) { seen = append(seen, info) }}))
				require.NoError(t, err)
				call := func() string { return codeOf(t, rt, signedRequest(t, testKeys, 0, "DescribeInstances", "{}")) }

				assert.Empty(t, call())
				assert.Equal(t, 2, api.Count(), "refused, and signed by the right clock")
				for n := 3; n < 6; n++ {
					assert.Empty(t, call())
					assert.Equal(t, n, api.Count(), "one wire call each")
				}
				require.Len(t, seen, 1)
				assert.InDelta(t, off.Seconds(), seen[0].Offset.Seconds(), 1)
				assert.Equal(t, "cvm.tencentcloudapi.com", seen[0].Host)

				api.SetClockOffset(0) // somebody sets the clock
				assert.Empty(t, call())
				assert.Equal(t, 7, api.Count(), "the offset heals back")
				assert.Empty(t, call())
				assert.Equal(t, 8, api.Count())
				assert.Zero(t, rt.clocks.of("cvm.tencentcloudapi.com"))
			})
		})
	}
}

func TestTransport_DateThatExplainsNothing(t *testing.T) {
	for name, date := range map[string]string{
		"missing": "", "garbage": "yesterday", "1970": "Thu, 01 Jan 1970 00:00:00 GMT", "far future": "Fri, 01 Jan 2100 00:00:00 GMT",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := tctest.New(tctest.WithCredential(testID, testKey, ""), tctest.WithClockOffset(10*time.Minute))
				api.SetDate(func(time.Time) string { return date })
				rt, err := NewTransport(api.RoundTripper(), WithSigner(TC3Signer(testKeys)))
				require.NoError(t, err)
				assert.Equal(t, "AuthFailure.SignatureExpire", codeOf(t, rt, signedRequest(t, testKeys, 0, "DescribeInstances", "{}")))
				assert.Equal(t, 1, api.Count())
			})
		})
	}
	t.Run("a second refusal is final", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			api := tctest.New(tctest.WithCredential(testID, testKey, ""), tctest.WithClockOffset(10*time.Minute))
			api.SetDate(func(now time.Time) string { return now.Add(-20 * time.Minute).UTC().Format(http.TimeFormat) }) // a proxy's
			rt, err := NewTransport(api.RoundTripper(), WithSigner(TC3Signer(testKeys)))
			require.NoError(t, err)
			assert.Equal(t, "AuthFailure.SignatureExpire", codeOf(t, rt, signedRequest(t, testKeys, 0, "DescribeInstances", "{}")))
			assert.Equal(t, 2, api.Count())
		})
	})
	t.Run("without a signer", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			api := tctest.New(tctest.WithCredential(testID, testKey, ""), tctest.WithClockOffset(10*time.Minute))
			rt, err := NewTransport(api.RoundTripper())
			require.NoError(t, err)
			assert.Equal(t, "AuthFailure.SignatureExpire", codeOf(t, rt, signedRequest(t, testKeys, 0, "DescribeInstances", "{}")))
			assert.Equal(t, 1, api.Count())
		})
	})
}

// rotating is a provider whose credentials can be replaced.
type rotating struct {
	current atomic.Pointer[Credentials]
	asked   atomic.Int32
}

func (r *rotating) Credentials(context.Context) (Credentials, error) {
	r.asked.Add(1)
	return *r.current.Load(), nil
}

func newRotating(id, key, token string) *rotating {
	r := &rotating{}
	r.current.Store(&Credentials{id, key, token})
	return r
}

func TestTransport_RotatedKey(t *testing.T) {
	for name, row := range map[string]struct {
		old, fresh Credentials
		code       string // what the old one fails with
	}{
		"another key":          {Credentials{"old", "k1", ""}, Credentials{"new", "k2", ""}, "AuthFailure.SecretIdNotFound"},
		"another secret":       {Credentials{"new", "k1", ""}, Credentials{"new", "k2", ""}, "AuthFailure.SignatureFailure"},
		"another token":        {Credentials{"new", "k2", "t1"}, Credentials{"new", "k2", "t2"}, "AuthFailure.TokenFailure"},
		"from the SDK's token": {Credentials{"old", "k1", "t1"}, Credentials{"new", "k2", ""}, "AuthFailure.SecretIdNotFound"},
	} {
		t.Run(name, func(t *testing.T) {
			api := tctest.New(tctest.WithCredential(row.fresh.SecretID, row.fresh.SecretKey, row.fresh.Token))
			old := StaticCredentials(row.old.SecretID, row.old.SecretKey, row.old.Token)

			plain, err := NewTransport(api.RoundTripper())
			require.NoError(t, err)
			assert.Equal(t, row.code, codeOf(t, plain, signedRequest(t, old, 0, "DescribeInstances", "{}")))

			provider := newRotating(row.fresh.SecretID, row.fresh.SecretKey, row.fresh.Token)
			rt, err := NewTransport(api.RoundTripper(), WithSigner(TC3Signer(provider)))
			require.NoError(t, err)
			api.ResetCalls()
			assert.Empty(t, codeOf(t, rt, signedRequest(t, old, 0, "DescribeInstances", "{}")))
			assert.Equal(t, 2, api.Count())

			provider.current.Store(&row.old) // nothing new to be had
			api.ResetCalls()
			assert.Equal(t, row.code, codeOf(t, rt, signedRequest(t, old, 0, "DescribeInstances", "{}")))
			assert.Equal(t, 1, api.Count(), "no other key, no other attempt")
		})
	}
	t.Run("between attempts", func(t *testing.T) {
		api := tctest.New(tctest.WithCredential("old", "k1", ""))
		provider := newRotating("old", "k1", "")
		rt, err := NewTransport(api.RoundTripper(), WithBackOff(noDelay), WithSigner(TC3Signer(provider)),
			WithHooks(Hooks{Retry: func(context.Context, RetryInfo) {
				api.RemoveCredential("old")
				api.SetCredential("new", "k2", "")
				provider.current.Store(&Credentials{"new", "k2", ""})
			}}))
		require.NoError(t, err)
		api.Script("DescribeInstances", tctest.Fail("InternalError"))
		assert.Empty(t, codeOf(t, rt, signedRequest(t, StaticCredentials("old", "k1", ""), 0, "DescribeInstances", "{}")))
		assert.Equal(t, 2, api.Count())
	})
}

func TestTransport_CuresEnd(t *testing.T) {
	n := 0
	restless := CredentialFunc(func(context.Context) (Credentials, error) { // other keys each time, and never the right ones
		n++
		return Credentials{SecretID: fmt.Sprintf("id%d", n), SecretKey: "k"}, nil
	})
	broken := CredentialFunc(func(context.Context) (Credentials, error) { return Credentials{}, errRead })
	rows := map[string]struct {
		provider CredentialProvider
		offset   time.Duration
		opts     []Option
		code     string
		calls    int
	}{
		"other keys are tried once":          {restless, 0, nil, "AuthFailure.SecretIdNotFound", 2},
		"no keys to compare with":            {broken, 0, nil, "AuthFailure.SecretIdNotFound", 1},
		"one attempt is one attempt":         {restless, 0, []Option{WithMaxAttempts(1)}, "AuthFailure.SecretIdNotFound", 1},
		"also for a clock that is off":       {testKeys, time.Hour, []Option{WithMaxAttempts(1)}, "AuthFailure.SignatureExpire", 1},
		"no cure after the caller's own no":  {testKeys, time.Hour, []Option{WithMaxElapsedTime(time.Nanosecond)}, "AuthFailure.SignatureExpire", 1},
		"a code without a cure":              {testKeys, 0, []Option{WithCode("AuthFailure", Verdict{Class: ClassFatal})}, "AuthFailure.SecretIdNotFound", 1},
		"a classifier that says retry rules": {broken, 0, []Option{WithClassifier(func(Outcome) Verdict { return Verdict{} })}, "AuthFailure.SecretIdNotFound", 1},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := tctest.New(tctest.WithCredential("right", "key", ""), tctest.WithClockOffset(row.offset))
				api.SetNetworkDelay(tctest.Fixed(time.Millisecond))
				rt, err := NewTransport(api.RoundTripper(), append(row.opts, WithSigner(TC3Signer(row.provider)))...)
				require.NoError(t, err)
				keys := testKeys
				if row.offset != 0 {
					keys = StaticCredentials("right", "key", "")
				}
				assert.Equal(t, row.code, codeOf(t, rt, signedRequest(t, keys, 0, "DescribeInstances", "{}")))
				assert.Equal(t, row.calls, api.Count())
			})
		})
	}
}

func TestTransport_ProviderFails(t *testing.T) {
	broken := errors.New("metadata service away")
	api := tctest.New(tctest.WithCredential(testID, testKey, ""))
	t.Run("before the first attempt", func(t *testing.T) {
		rt, err := NewTransport(api.RoundTripper(), WithSigner(TC3Signer(CredentialFunc(func(context.Context) (Credentials, error) {
			return Credentials{}, broken
		}))))
		require.NoError(t, err)
		_, err = rt.RoundTrip(unsignedRequest(t, "DescribeInstances", "{}"))
		require.ErrorIs(t, err, broken)
		failed, ok := errors.AsType[*CallError](err)
		require.True(t, ok)
		assert.Equal(t, ReasonSigningFailed, failed.Reason)
		assert.Zero(t, failed.Attempts)
		assert.Contains(t, err.Error(), "credential provider failed: metadata service away")
	})
	t.Run("before a retry, the last answer comes back", func(t *testing.T) {
		rt, err := NewTransport(api.RoundTripper(), WithBackOff(noDelay), WithSigner(TC3Signer(CredentialFunc(func(context.Context) (Credentials, error) {
			return Credentials{}, broken
		}))))
		require.NoError(t, err)
		api.ResetCalls()
		api.Script("DescribeInstances", tctest.Fail("InternalError"))
		assert.Equal(t, "InternalError", codeOf(t, rt, signedRequest(t, testKeys, 0, "DescribeInstances", "{}")))
		assert.Equal(t, 1, api.Count())
	})
	t.Run("no key", func(t *testing.T) {
		rt, err := NewTransport(api.RoundTripper(), WithSigner(TC3Signer(StaticCredentials("", "", ""))))
		require.NoError(t, err)
		_, err = rt.RoundTrip(unsignedRequest(t, "DescribeInstances", "{}"))
		require.ErrorContains(t, err, "no SecretId")
	})
	t.Run("blocks without looking at the context", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			api := tctest.New()
			rt, err := NewTransport(api.RoundTripper(), WithSigner(TC3Signer(CredentialFunc(func(context.Context) (Credentials, error) {
				<-release
				return Credentials{}, nil
			}))))
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			begin := time.Now()
			_, err = rt.RoundTrip(unsignedRequest(t, "DescribeInstances", "{}").WithContext(ctx))
			require.ErrorIs(t, err, context.DeadlineExceeded)
			assert.Equal(t, 3*time.Second, time.Since(begin))
			assert.Zero(t, api.Count())
			close(release)
		})
	})
	t.Run("panics where the caller can see it", func(t *testing.T) {
		rt, err := NewTransport(api.RoundTripper(), WithSigner(TC3Signer(CredentialFunc(func(context.Context) (Credentials, error) { panic("C31") }))))
		require.NoError(t, err)
		assert.PanicsWithValue(t, "C31", func() { rt.RoundTrip(unsignedRequest(t, "DescribeInstances", "{}")) })
	})
}

func TestTransport_SignsWhatIsUnsigned(t *testing.T) {
	api := tctest.New(tctest.WithCredential(testID, testKey, ""))
	rt, err := NewTransport(api.RoundTripper(), WithSigner(TC3Signer(testKeys)), WithMaxReplay(1<<10))
	require.NoError(t, err)

	t.Run("with GetBody", func(t *testing.T) {
		req := unsignedRequest(t, "DescribeInstances", "{}")
		assert.Empty(t, codeOf(t, rt, req))
		assert.NotContains(t, req.Header, "Authorization", "C1 the caller's request stays as it is")
	})
	t.Run("without GetBody, the body is read first", func(t *testing.T) {
		req := unsignedRequest(t, "DescribeInstances", "")
		req.Body, req.GetBody, req.ContentLength = io.NopCloser(strings.NewReader(`{"Limit":5}`)), nil, -1
		assert.Empty(t, codeOf(t, rt, req))
	})
	t.Run("a body too long to be read first", func(t *testing.T) {
		req := unsignedRequest(t, "DescribeInstances", "")
		req.Body, req.GetBody, req.ContentLength = io.NopCloser(strings.NewReader(strings.Repeat(" ", 2<<10))), nil, -1
		_, err := rt.RoundTrip(req)
		require.ErrorIs(t, err, errBodyToSign)
	})
	t.Run("the same, unsigned", func(t *testing.T) {
		req := unsignedRequest(t, "DescribeInstances", "")
		req.Header.Set("X-TC-Content-SHA256", "UNSIGNED-PAYLOAD")
		req.Body, req.GetBody, req.ContentLength = io.NopCloser(strings.NewReader(`{"a":"`+strings.Repeat(" ", 2<<10)+`"}`)), nil, -1
		assert.Empty(t, codeOf(t, rt, req))
	})
	t.Run("another kind of signature is left alone", func(t *testing.T) {
		base := scripted(reply(http.StatusOK, success))
		rt, err := NewTransport(base, WithSigner(TC3Signer(testKeys)))
		require.NoError(t, err)
		for _, authorization := range []string{"q-sign-algorithm=sha1&q-ak=x", "Bearer x"} {
			req := unsignedRequest(t, "DescribeInstances", "{}")
			req.Header.Set("Authorization", authorization)
			resp, err := rt.RoundTrip(req)
			require.NoError(t, err)
			resp.Body.Close()
			assert.Equal(t, authorization, base.requests[len(base.requests)-1].Header.Get("Authorization"))
		}
	})
}

func TestTransport_SignedFirstAttemptStaysAsItIs(t *testing.T) {
	base := scripted(reply(http.StatusOK, success))
	provider := newRotating(testID, testKey, "")
	rt, err := NewTransport(base, WithSigner(TC3Signer(provider)), WithRateLimit(rate.Inf, 1))
	require.NoError(t, err)
	req := signedRequest(t, testKeys, 0, "DescribeInstances", "{}")
	assert.Empty(t, codeOf(t, rt, req))
	assert.Zero(t, provider.asked.Load(), "nothing to sign, nobody to ask")
	assert.Equal(t, req.Header, base.requests[0].Header)
}

// BenchmarkTransport_Signing shows what a fresh signature adds to a call of 300 bytes.
func BenchmarkTransport_Signing(b *testing.B) {
	base := roundTripFunc(func(req *http.Request) (*http.Response, error) {
		return answer(http.StatusOK, success), nil
	})
	signed := signedRequest(b, testKeys, 0, "DescribeInstances", strings.Repeat(" ", 298)+"{}")
	unsigned := unsignedRequest(b, "DescribeInstances", strings.Repeat(" ", 298)+"{}")
	for _, row := range []struct {
		name string
		req  *http.Request
		opts []Option
	}{
		{"no signer", signed, nil},
		{"nothing to sign", signed, []Option{WithSigner(TC3Signer(testKeys))}},
		{"signed afresh", unsigned, []Option{WithSigner(TC3Signer(testKeys))}},
	} {
		b.Run(row.name, func(b *testing.B) {
			rt, err := NewTransport(base, row.opts...)
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				row.req.Body, _ = row.req.GetBody()
				resp, err := rt.RoundTrip(row.req)
				if err != nil {
					b.Fatal(err)
				}
				resp.Body.Close()
			}
		})
	}
}
