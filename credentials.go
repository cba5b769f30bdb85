package tencenthttp

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// Credentials are an account's key. Printed or logged they show nothing of it.
type Credentials struct {
	SecretID  string
	SecretKey string
	// Token belongs to temporary keys (STS, CVM roles, OIDC); empty for permanent ones.
	Token string
}

// String implements fmt.Stringer.
func (Credentials) String() string { return "tencenthttp.Credentials{***}" }

// GoString implements fmt.GoStringer.
func (c Credentials) GoString() string { return c.String() }

// CredentialProvider gives the credentials to sign with. It is asked for each signature, by any number of goroutines.
type CredentialProvider interface {
	// Credentials returns the credentials that are valid now. The context is that of the call that waits for them.
	Credentials(ctx context.Context) (Credentials, error)
}

// CredentialFunc is a function as a CredentialProvider. It fits a credential of the SDK, which refreshes itself, like this:
//
//	CredentialFunc(func(context.Context) (c Credentials, err error) { c.SecretID, c.SecretKey, c.Token = credential.GetCredential(); return })
type CredentialFunc func(ctx context.Context) (Credentials, error)

// Credentials implements CredentialProvider.
func (f CredentialFunc) Credentials(ctx context.Context) (Credentials, error) { return f(ctx) }

// StaticCredentials returns a provider of credentials that never change. Token is empty for a permanent key.
func StaticCredentials(secretID, secretKey, token string) CredentialProvider {
	return atHand(func(context.Context) (Credentials, error) {
		return Credentials{SecretID: secretID, SecretKey: secretKey, Token: token}, nil
	})
}

// atHand is a provider that never blocks.
type atHand CredentialFunc

// Credentials implements CredentialProvider.
func (f atHand) Credentials(ctx context.Context) (Credentials, error) { return f(ctx) }

// The environment variables that the SDK reads as well.
const (
	envSecretID  = "TENCENTCLOUD_SECRET_ID"
	envSecretKey = "TENCENTCLOUD_SECRET_KEY"
	envToken     = "TENCENTCLOUD_TOKEN"
)

// EnvironmentCredentials returns a provider of what TENCENTCLOUD_SECRET_ID, TENCENTCLOUD_SECRET_KEY and, where it is set,
// TENCENTCLOUD_TOKEN say at the time of each signature. It fails while one of the first two is empty.
func EnvironmentCredentials() CredentialProvider {
	return atHand(func(context.Context) (Credentials, error) {
		c := Credentials{SecretID: os.Getenv(envSecretID), SecretKey: os.Getenv(envSecretKey), Token: os.Getenv(envToken)}
		if c.SecretID == "" || c.SecretKey == "" {
			return Credentials{}, fmt.Errorf("%w: %s and %s must be set", errNoCredentials, envSecretID, envSecretKey)
		}
		return c, nil
	})
}

var errNoCredentials = errors.New("no credentials in the environment")

// askCredentials asks a provider, but no longer than the context lives: a credential of the SDK's may fetch a new key over the network
// and knows no context. Its answer is dropped then.
func askCredentials(ctx context.Context, provider CredentialProvider) (Credentials, error) {
	if _, ok := provider.(atHand); ok || ctx.Done() == nil {
		return provider.Credentials(ctx)
	}
	type answer struct {
		keys     Credentials
		err      error
		panicked any
	}
	answers := make(chan answer, 1)
	go func() {
		a := answer{panicked: errNoAnswer}
		defer func() {
			if p := recover(); p != nil {
				a.panicked = p
			}
			answers <- a
		}()
		a.keys, a.err = provider.Credentials(ctx)
		a.panicked = nil
	}()
	select {
	case a := <-answers:
		if a.panicked != nil {
			panic(a.panicked) // where the caller can see it
		}
		return a.keys, a.err
	case <-ctx.Done():
		return Credentials{}, cancelError(ctx)
	}
}

// errNoAnswer stands for a provider that ended its goroutine.
var errNoAnswer = errors.New("tencenthttp: the credential provider did not return")
