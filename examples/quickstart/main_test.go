package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tencenthttp/tencenthttp"
)

func TestRun_everythingComesOutAsItSays(t *testing.T) {
	var out bytes.Buffer
	err := run(&out, scenes)
	t.Log(out.String())
	require.NoError(t, err)

	live, table, _ := strings.Cut(out.String(), "what the service did")
	for _, scene := range scenes {
		assert.Contains(t, live, ". "+scene.title+"\n")
		for _, act := range scene.acts {
			assert.Contains(t, table, act.call)
			assert.Contains(t, table, act.service)
		}
	}
	assert.Contains(t, live, "ok, with attempt 4")
	assert.Contains(t, live, "not sent: breaker open")
	assert.Contains(t, live, "the service's clock is 10m0s ahead of ours: signed again")
	assert.Contains(t, live, "the service's clock agrees with ours: signed again")
	assert.Contains(t, live, "AuthFailure.SecretIdNotFound, again at once")
	assert.Contains(t, table, "Everything came out as it says")
	assert.NotContains(t, out.String(), "\x1b", "colours are for terminals")
}

func TestRun_saysWhatCameOutOtherThanExpected(t *testing.T) {
	wrong := act{
		call:    "DescribeZones",
		service: "answers",
		perform: func(s *side) []error { return inTurn(2, s.guangzhou.describeZones) },
		with:    want{3, "2 ok"},
		without: want{2, "1 ok, 1 InternalError"},
		check:   func(*side, outcome) error { return errors.New("the check") },
	}
	var out bytes.Buffer
	err := run(&out, []scene{{"A scene", []act{wrong}}})
	require.Error(t, err)
	assert.Equal(t, `DescribeZones (the service answers), with the transport: 2 ok after 2 requests, not 2 ok after 3
the check
DescribeZones (the service answers), without the transport: 2 ok after 2 requests, not 1 ok, 1 InternalError after 2
the check`, err.Error())
	assert.NotContains(t, out.String(), "Everything came out as it says")
}

func TestSummary(t *testing.T) {
	other := errors.New("other")
	assert.Equal(t, "ok", summary([]error{nil}))
	assert.Equal(t, "other", summary([]error{other}))
	assert.Equal(t, "2 ok, 1 ErrBreakerOpen, 1 other", summary([]error{nil, other, nil, tencenthttp.ErrBreakerOpen}))
}

func TestSkew(t *testing.T) {
	assert.Equal(t, "the service's clock is 10m0s ahead of ours: signed again", skew(10*time.Minute-999*time.Millisecond))
	assert.Equal(t, "the service's clock is 10m0s behind ours: signed again", skew(-10*time.Minute-999*time.Millisecond))
	assert.Equal(t, "the service's clock agrees with ours: signed again", skew(-time.Second))
}
