package tctest

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxSkew is how far a timestamp may be off the service's clock.
const maxSkew = 300 * time.Second

// credentials are the keys that the service knows, by SecretId. Nil: signatures are not checked.
type credentials map[string]secret

type secret struct{ key, token string }

// SetCredential registers a key, or replaces the one of that SecretId; token is what X-TC-Token must say, empty for a permanent
// key, which must come without. From the first one on, every call must be signed, with TC3-HMAC-SHA256 or signature v1, and
// fails as with the real service if it is not: AuthFailure.SecretIdNotFound, AuthFailure.SignatureExpire (more than 300 s off
// the service's clock), AuthFailure.TokenFailure, AuthFailure.SignatureFailure, MissingParameter without a timestamp.
func (a *API) SetCredential(secretID, secretKey, token string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.credentials == nil {
		a.credentials = make(credentials)
	}
	a.credentials[secretID] = secret{secretKey, token}
}

// RemoveCredential revokes a key. Signatures are still checked when the last one is gone, and all of them fail.
func (a *API) RemoveCredential(secretID string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.credentials, secretID)
}

// SetClockOffset sets how far the service's clock is ahead of time.Now, behind if d is negative. The Date header and the check of
// timestamps go by it, nothing else does.
func (a *API) SetClockOffset(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.offset = d
}

// SetDate sets what the Date header says, from the service's time; an empty result leaves it out. Nil restores the truth.
func (a *API) SetDate(f func(serverTime time.Time) string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.date = f
}

// ServerTime returns the time on the service's clock.
func (a *API) ServerTime() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return time.Now().Add(a.offset)
}

// dateHeader returns the Date header of an answer that leaves now.
func (a *API) dateHeader() string {
	a.mu.Lock()
	t, f := time.Now().Add(a.offset), a.date
	a.mu.Unlock()
	if f != nil {
		return f(t)
	}
	return t.UTC().Format(http.TimeFormat)
}

// authenticate checks the signature. It returns the refusal, or false if there is none.
func (a *API) authenticate(r *Request) (Answer, bool) {
	a.mu.Lock()
	if a.credentials == nil {
		a.mu.Unlock()
		return Answer{}, false
	}
	known, ok := a.credentials[r.SecretID]
	now := time.Now().Add(a.offset)
	a.mu.Unlock()

	v1 := r.Header.Get("Authorization") == "" && r.Form.Has("Signature")
	timestamp, token := r.Header.Get("X-Tc-Timestamp"), r.Header.Get("X-Tc-Token")
	if v1 {
		timestamp, token = r.Form.Get("Timestamp"), r.Form.Get("Token")
	}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	switch {
	case timestamp == "":
		return FailWith("MissingParameter", "The request is missing a required parameter `Timestamp`."), true
	case err != nil:
		return FailWith("InvalidParameter", "The value of the parameter `Timestamp` is not a number."), true
	case r.SecretID == "":
		return refuseSignature("The request is not signed, or its Authorization is malformed."), true
	case !ok:
		return FailWith("AuthFailure.SecretIdNotFound", "The SecretId is not found, please ensure that your SecretId is correct."), true
	case now.Sub(time.Unix(seconds, 0)).Abs() > maxSkew:
		return FailWith("AuthFailure.SignatureExpire", "The signature has expired: the timestamp is more than 300 seconds off the server's time. "+
			"Please check your system time and time zone."), true
	case token != known.token:
		return FailWith("AuthFailure.TokenFailure", "The token is invalid, please ensure that your token is correct."), true
	case v1:
		return verifyV1(r, known.key)
	}
	return verifyTC3(r, known.key, seconds)
}

func refuseSignature(why string) Answer {
	return FailWith("AuthFailure.SignatureFailure", "The provided credentials could not be validated. "+why)
}

// isTencent says that a host is one of the real service's, so that its first label is a service.
func isTencent(host string) bool {
	return strings.HasSuffix(host, ".tencentcloudapi.com")
}
