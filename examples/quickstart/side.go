package main

import (
	"errors"
	"net/http"
	"time"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"

	"github.com/tencenthttp/tencenthttp"
)

// side is one half of the comparison: clients of the SDK, and a fake Tencent Cloud of their own.
type side struct {
	cloud     *cloud
	transport *tencenthttp.Transport // nil on the side without
	signing   *tencenthttp.Transport // another one, with a signer; nil on the side without
	vault     *vault

	guangzhou *clients
	shanghai  *clients
	impostor  *clients // with a key that the service does not accept
	signed    *clients // with the signing transport
}

// bothSides makes the two sides, which differ in nothing but the transport.
func bothSides(hooks tencenthttp.Hooks) (with, without *side, err error) {
	with, without = newSide(), newSide()
	base := without.cloud.Transport()
	if err = errors.Join(with.addTransports(hooks), without.connect(base, base)); err == nil {
		err = with.connect(with.transport, with.signing)
	}
	if err != nil {
		with.cloud.Close()
		without.cloud.Close()
	}
	return with, without, err
}

func newSide() *side {
	return &side{cloud: newCloud(), vault: newVault(common.NewCredential(secretID, secretKey))}
}

// addTransports makes it the side with them.
func (s *side) addTransports(hooks tencenthttp.Hooks) (err error) {
	if s.transport, err = newTransport(s.cloud.Transport(), hooks); err != nil {
		return err
	}
	s.signing, err = newSigningTransport(s.cloud.Transport(), s.vault, hooks)
	return err
}

func (s *side) connect(transport, signing http.RoundTripper) (err error) {
	key, wrongKey := s.vault.Load(), common.NewCredential(secretID, "not the key")
	if s.guangzhou, err = newClients(transport, key, "ap-guangzhou"); err != nil {
		return err
	}
	if s.shanghai, err = newClients(transport, key, "ap-shanghai"); err != nil {
		return err
	}
	if s.impostor, err = newClients(transport, wrongKey, "ap-guangzhou"); err != nil {
		return err
	}
	s.signed, err = newClients(signing, key, "ap-guangzhou")
	return err
}

// shanghaiBreaker returns the state of the breaker of Shanghai, and how long it will refuse every call. There is none without the
// transport.
func (s *side) shanghaiBreaker() (state string, openFor time.Duration) {
	if s.transport != nil {
		for _, target := range s.transport.Stats() {
			if target.Target.Region == "ap-shanghai" {
				state, openFor = target.Breaker.String(), target.OpenFor
			}
		}
	}
	return state, openFor
}

// awaitBreaker sleeps until the breaker of Shanghai lets a call through.
func (s *side) awaitBreaker() {
	_, openFor := s.shanghaiBreaker()
	time.Sleep(openFor + time.Millisecond)
}

// expectBreaker makes sure that the breaker of Shanghai, if there is one, has that state.
func (s *side) expectBreaker(expected string) error {
	if s.transport == nil {
		return nil
	}
	state, _ := s.shanghaiBreaker()
	return expect(state, expected)
}
