package main

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/tctest"
)

// The codes of signatures that the service does not accept.
const (
	expired    = "AuthFailure.SignatureExpire"
	unknownKey = "AuthFailure.SecretIdNotFound"
)

// vault is where a program looks up its key, which may be exchanged while it runs. A client of the SDK keeps the one that it was made with.
type vault struct {
	atomic.Pointer[common.Credential]
}

// newVault returns a vault with a key that the service accepts.
func newVault(key *common.Credential) *vault {
	v := new(vault)
	v.Store(key)
	return v
}

// Credentials implements tencenthttp.CredentialProvider. GetCredential is what every credential of the SDK has.
func (v *vault) Credentials(context.Context) (c tencenthttp.Credentials, err error) {
	c.SecretID, c.SecretKey, c.Token = v.Load().GetCredential()
	return c, nil
}

// newSigningTransport makes a transport that signs what it sends again. There is one for each account: a signer has but one
// key.
func newSigningTransport(base http.RoundTripper, keys tencenthttp.CredentialProvider, hooks tencenthttp.Hooks) (*tencenthttp.Transport, error) {
	return tencenthttp.NewTransport(base,
		tencenthttp.WithSigner(tencenthttp.TC3Signer(keys)),
		tencenthttp.WithHooks(hooks),
	)
}

var wrongClock = act{
	call:    "5 DescribeInstances in turn",
	service: "has a clock 10 minutes ahead of ours",
	prepare: func(s *side) { s.cloud.SetClockOffset(10 * time.Minute) },
	perform: func(s *side) []error { return inTurn(5, s.signed.describeInstances) },
	with:    want{6, "5 ok"},
	without: want{5, "5 " + expired},
	check:   onlyFirstRefused(expired),
	moral:   "The first answer told the time: signed again. All others were right at once.",
}

var clockSetRight = act{
	call:    "5 DescribeInstances in turn",
	service: "has its clock set right",
	prepare: func(s *side) { s.cloud.SetClockOffset(0) },
	perform: func(s *side) []error { return inTurn(5, s.signed.describeInstances) },
	with:    want{6, "5 ok"},
	without: want{5, "5 ok"},
	check:   onlyFirstRefused(expired),
}

var rotatedKey = act{
	call:    "DescribeInstances, the client has the old key",
	service: "knows only the new one",
	prepare: func(s *side) {
		s.cloud.RemoveCredential(secretID)
		s.cloud.SetCredential(newSecretID, newSecretKey, "")
		s.vault.Store(common.NewCredential(newSecretID, newSecretKey))
	},
	perform: func(s *side) []error { return inTurn(1, s.signed.describeInstances) },
	with:    want{2, "ok"},
	without: want{1, unknownKey},
	check: func(s *side, o outcome) error {
		if err := onlyFirstRefused(unknownKey)(s, o); err != nil || s.transport == nil {
			return err
		}
		if err := expect(o.calls[0].SecretID, secretID); err != nil {
			return err
		}
		return expect(o.calls[1].SecretID, newSecretID)
	},
	moral: "The transport asked for the key again, and there was another one.",
}

// onlyFirstRefused makes sure that the transport needed one refusal, the first answer, to know better.
func onlyFirstRefused(code string) func(*side, outcome) error {
	return func(s *side, o outcome) error {
		if s.transport == nil {
			return nil
		}
		refused := s.cloud.Calls(tctest.ByCode(code))
		if len(refused) != 1 || len(o.calls) < 2 || o.calls[0].Code != code {
			return fmt.Errorf("%d answers were %s, not just the first of %d", len(refused), code, len(o.calls))
		}
		return nil
	}
}
