package tencenthttp

// WithSigner makes the Transport sign: every attempt after the first; the first too if the request is unsigned and names its action
// in X-TC-Action, if it has waited for more than 60 s, or if the service's clock is known to differ from ours. A clock that is off is
// then set right by the answers' Date, and a rotated key is asked for again, each within the call that finds it. Requests with
// another kind of signature are left alone. The host that is signed is the one that the request goes to: behind a gateway that
// expects the signature for another host, as with the SDK's ApigwEndpoint, there must be no Signer, or one that knows that host.
// Default: no Signer; a signature is sent as it is, for up to 270 s.
func WithSigner(signer Signer) Option {
	return optionFunc(func(c *config) {
		if signer == nil {
			c.reject("WithSigner(nil): must be a signer")
		}
		c.signer = signer
	})
}

// WithFailover names, for a host, others that serve the same API in the same region, such as cvm.ap-guangzhou.tencentcloudapi.com
// for cvm.tencentcloudapi.com. While the breaker of the first is open, calls go to the next one whose breaker is not, signed for
// it; when the first one's probe succeeds they go back. It needs WithSigner, and a breaker. Hosts is called for each attempt that the
// breaker refuses. Limits stay those of the Target, which the first host is part of. Default: none.
func WithFailover(hosts func(host string) []string) Option {
	return optionFunc(func(c *config) {
		if hosts == nil {
			c.reject("WithFailover(nil): must be a function")
		}
		c.failover = hosts
	})
}

// WithClientTokens puts a ClientToken of 26 random characters into the JSON body of calls of these actions, "RunInstances" or
// "cvm:RunInstances", that have none: the same in every attempt, so that the call may be sent again after a lost connection. Without
// arguments: all 56 actions that are known to have that parameter. It needs WithSigner, because the body is signed. A body without
// GetBody is read whole before the call begins. Default: off.
func WithClientTokens(actions ...string) Option {
	return optionFunc(func(c *config) {
		if len(actions) == 0 {
			actions = clientTokenActions
		}
		for _, action := range actions {
			if action == "" {
				c.reject(`WithClientTokens(""): the action must not be empty`)
			}
		}
		c.tokenActions = append(c.tokenActions, actions...)
	})
}
