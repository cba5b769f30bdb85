package tencenthttp

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOptions_SigningProblemsAreReported(t *testing.T) {
	signer := TC3Signer(testKeys)
	elsewhere := func(string) []string { return nil }
	rows := map[string]struct {
		opts []Option
		want string
	}{
		"nil signer":              {[]Option{WithSigner(nil)}, "WithSigner(nil): must be a signer"},
		"nil failover":            {[]Option{WithSigner(signer), WithFailover(nil)}, "WithFailover(nil): must be a function"},
		"failover, no signer":     {[]Option{WithFailover(elsewhere)}, "WithFailover: a call for another host must be signed for it: WithSigner is missing"},
		"failover, no breaker":    {[]Option{WithSigner(signer), WithFailover(elsewhere), WithoutBreaker()}, "WithFailover: calls go elsewhere while a breaker is open: WithoutBreaker leaves none"},
		"tokens, no signer":       {[]Option{WithClientTokens()}, "WithClientTokens: a call with another body must be signed again: WithSigner is missing"},
		"tokens, an empty action": {[]Option{WithSigner(signer), WithClientTokens("RunInstances", "")}, `WithClientTokens(""): the action must not be empty`},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			_, err := NewTransport(nil, row.opts...)
			require.EqualError(t, err, "tencenthttp: "+row.want)
		})
	}
	_, err := NewTransport(nil, WithClientTokens(), WithFailover(elsewhere), WithSigner(signer))
	assert.NoError(t, err, "in any order")
}
