package tencenthttp

import (
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestClass_String(t *testing.T) {
	for class, want := range []string{"success", "retryable", "idempotent", "fatal", "invalid"} {
		assert.Equal(t, want, Class(class).String())
	}
}

// answered is an outcome with that status, and a Retry-After unless that is "".
func answered(status int, after string, envelope *Envelope) Outcome {
	resp := answer(status, "")
	if after != "" {
		resp.Header.Set("Retry-After", after)
	}
	return Outcome{Response: resp, Envelope: envelope, Attempt: 1}
}

func failed(code string) *Envelope { return &Envelope{Error: &APIError{Code: code}} }

func TestClassify_Answers(t *testing.T) {
	midway := Verdict{Class: ClassIdempotent, Fault: true}
	fatal := Verdict{Class: ClassFatal}
	throttled := Verdict{Class: ClassRetryable, Throttled: true}
	for _, tt := range []struct {
		name    string
		outcome Outcome
		want    Verdict
	}{
		{"200 without an envelope", answered(200, "", nil), Verdict{}},
		{"200 with a success", answered(200, "", &Envelope{RequestID: "id"}), Verdict{}},
		{"200 with a Retry-After", answered(200, "5", nil), Verdict{}},
		{"201", answered(201, "", nil), Verdict{}},
		{"204", answered(204, "", nil), Verdict{}},
		{"302", answered(302, "", nil), Verdict{}},
		{"304", answered(304, "", nil), Verdict{}},
		{"400", answered(400, "", nil), fatal},
		{"401", answered(401, "", nil), fatal},
		{"403", answered(403, "", nil), fatal},
		{"404", answered(404, "", nil), fatal},
		{"408", answered(408, "", nil), fatal},
		{"413", answered(413, "", nil), fatal},
		{"429", answered(429, "", nil), throttled},
		{"429 with Retry-After", answered(429, "3", nil), Verdict{Class: ClassRetryable, Throttled: true, RetryAfter: 3 * time.Second}},
		{"429 with a code", answered(429, "", failed("LimitExceeded")), throttled},
		{"429 with a throttle", answered(429, "", failed("RequestLimitExceeded")), throttled},
		{"500", answered(500, "", nil), midway},
		{"500 with an envelope that is a success", answered(500, "", &Envelope{}), midway},
		{"501", answered(501, "", nil), fatal},
		{"502", answered(502, "", nil), midway},
		{"503", answered(503, "", nil), midway},
		{"503 with Retry-After", answered(503, "7", nil), Verdict{Class: ClassRetryable, Fault: true, RetryAfter: 7 * time.Second}},
		{"504", answered(504, "", nil), midway},
		{"505", answered(505, "", nil), fatal},
		{"500 with a code: the code counts", answered(500, "", failed("AuthFailure.SignatureExpire")), fatal},
		{"503 with a code and Retry-After", answered(503, "7", failed("RequestLimitExceeded")), Verdict{Class: ClassRetryable, Throttled: true, RetryAfter: 7 * time.Second}},
		{"200 with a code", answered(200, "", failed("RequestLimitExceeded")), throttled},
		{"200 with a code and Retry-After", answered(200, "2", failed("InternalError")), Verdict{Class: ClassRetryable, Fault: true, RetryAfter: 2 * time.Second}},
		{"200 with an empty code", answered(200, "", failed("")), fatal},
		{"neither an answer nor an error", Outcome{}, fatal},
	} {
		t.Run(tt.name, func(t *testing.T) { assert.Equal(t, tt.want, Classify(tt.outcome)) })
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, tt := range []struct {
		value string
		want  time.Duration
	}{
		{"", 0},
		{"0", 0},
		{"5", 5 * time.Second},
		{"3600", time.Hour},
		{"86401", 24 * time.Hour},
		{"-1", 0},
		{"-99999999999999999999", 0},
		{"99999999999999999999", 0},
		{"1.5", 0},
		{"+5", 5 * time.Second},
		{" 5", 0},
		{"soon", 0},
		{"Fri, 02 Jan 2026 03:04:15 GMT", 10 * time.Second},
		{"Friday, 02-Jan-26 03:04:15 GMT", 10 * time.Second},
		{"Fri Jan  2 03:04:15 2026", 10 * time.Second},
		{"Fri, 02 Jan 2026 03:04:05 GMT", 0},
		{"Thu, 01 Jan 1970 00:00:00 GMT", 0},
	} {
		assert.Equal(t, tt.want, retryAfter(http.Header{"Retry-After": {tt.value}}, now), "C46: %q", tt.value)
	}
	assert.Zero(t, retryAfter(nil, now))
}

func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"5", "-1", "Fri, 02 Jan 2026 03:04:15 GMT", "99999999999999999999", "Fri, 02 Jan 9999 03:04:15 GMT", "1e9", ""} {
		f.Add(seed)
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f.Fuzz(func(t *testing.T, value string) {
		got := retryAfter(http.Header{"Retry-After": {value}}, now)
		if got < 0 {
			t.Fatalf("%q: %v is negative", value, got)
		}
		if seconds, err := strconv.Atoi(value); err == nil && seconds >= 0 && seconds <= 86400 && got != time.Duration(seconds)*time.Second {
			t.Fatalf("%q: %v", value, got)
		}
	})
}

func TestWithCode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := scripted(reply(200, apiError("InternalError")), reply(200, success))
		rt := newTransport(t, base, WithCode("InternalError", Verdict{Class: ClassIdempotent, Fault: true}))
		resp, err := rt.RoundTrip(newRequest(t, "RunInstances", `{}`))
		require.NoError(t, err)
		assert.Equal(t, apiError("InternalError"), readAll(t, resp))
		assert.Equal(t, 1, base.attempts())
	})
}

func TestWithClassifier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen []Outcome
		base := scripted(reply(200, success), reply(200, apiError("Whatever")), fail(errLost), reply(200, success))
		rt := newTransport(t, base, WithCode("Whatever", Verdict{Class: ClassFatal}), WithClassifier(func(o Outcome) Verdict {
			seen = append(seen, o)
			if o.Attempt == 4 {
				return Verdict{}
			}
			return Verdict{Class: ClassRetryable}
		}))
		req := newRequest(t, "RunInstances", `{}`)
		resp, err := rt.RoundTrip(req)
		require.NoError(t, err)
		assert.Equal(t, success, readAll(t, resp))
		require.Len(t, seen, 4)
		for i, o := range seen {
			assert.Same(t, req, o.Request, "the caller's")
			assert.Equal(t, i+1, o.Attempt)
			assert.Equal(t, i == 2, o.Err != nil)
			assert.Equal(t, i != 2, o.Response != nil)
		}
		assert.Equal(t, "3c140219-cfe9-470e-b241-907877d6fb03", seen[0].Envelope.RequestID, "also where nothing had to be parsed")
		assert.Equal(t, "Whatever", seen[1].Envelope.Error.Code)
		assert.Equal(t, errLost, seen[2].Err)
	})
}

func TestWithClassifier_AClassThatDoesNotExistIsFatal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := scripted(reply(200, success))
		resp, err := newTransport(t, base, WithClassifier(func(Outcome) Verdict { return Verdict{Class: 99} })).RoundTrip(newRequest(t, "RunInstances", `{}`))
		require.NoError(t, err)
		resp.Body.Close()
		assert.Equal(t, 1, base.attempts())
	})
}
