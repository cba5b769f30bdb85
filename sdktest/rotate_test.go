package sdktest

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"
	cvm "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/cvm/v20170312"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/tctest"
)

// A credential of the SDK, such as that of a CVM role, an STS role or OIDC, refreshes itself. The transport follows it.
func Example_credentialOfTheSDK() {
	api := tctest.New(tctest.WithCredential("AKIDexample", "key", "token"), tctest.WithScript("*", tctest.Fail("InternalError")))

	var credential common.CredentialIface = common.NewTokenCredential("AKIDexample", "key", "token")
	provider := tencenthttp.CredentialFunc(func(context.Context) (c tencenthttp.Credentials, err error) {
		c.SecretID, c.SecretKey, c.Token = credential.GetCredential()
		return c, nil
	})
	rt, err := tencenthttp.NewTransport(api.RoundTripper(), tencenthttp.WithSigner(tencenthttp.TC3Signer(provider)))
	if err != nil {
		log.Fatal(err)
	}
	client, err := cvm.NewClient(credential, "ap-guangzhou", profile.NewClientProfile())
	if err != nil {
		log.Fatal(err)
	}
	client.WithHttpTransport(rt)

	_, err = client.DescribeInstances(cvm.NewDescribeInstancesRequest())
	fmt.Println(err, "after", api.Count(), "attempts")
	// Output: <nil> after 2 attempts
}

// rotating is a credential of the SDK that another hand replaces.
type rotating struct {
	mu  sync.Mutex
	now common.Credential
}

func (r *rotating) set(c common.Credential) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = c
}

func (r *rotating) GetCredential() (secretID, secretKey, token string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now.GetCredential()
}

func (r *rotating) GetSecretId() string  { id, _, _ := r.GetCredential(); return id }
func (r *rotating) GetSecretKey() string { _, key, _ := r.GetCredential(); return key }
func (r *rotating) GetToken() string     { _, _, token := r.GetCredential(); return token }

// newSigningCVM returns a client that signs with that credential, over a transport that does so too.
func newSigningCVM(t *testing.T, credential common.CredentialIface, base http.RoundTripper, edit profileEdit, opts ...tencenthttp.Option) (*cvm.Client, *tencenthttp.Transport) {
	t.Helper()
	rt := newTransport(t, base, append(opts, tencenthttp.WithSigner(tencenthttp.TC3Signer(fromSDK(credential))))...)
	client := newCVM(t, rt, edit, reqTimeout(0))
	client.WithCredential(credential)
	return client, rt
}

// signaturesV3 are those that can be renewed.
var signaturesV3 = signatures[:3]

func TestSDK_RotatedKey(t *testing.T) {
	for name, row := range map[string]struct {
		old, fresh common.Credential
		wantCode   string // of the old one
	}{
		"another key":         {common.Credential{SecretId: "old", SecretKey: "k1"}, common.Credential{SecretId: "new", SecretKey: "k2"}, "AuthFailure.SecretIdNotFound"},
		"another secret":      {common.Credential{SecretId: "id", SecretKey: "k1"}, common.Credential{SecretId: "id", SecretKey: "k2"}, "AuthFailure.SignatureFailure"},
		"another token":       {common.Credential{SecretId: "id", SecretKey: "k1", Token: "t1"}, common.Credential{SecretId: "id", SecretKey: "k1", Token: "t2"}, "AuthFailure.TokenFailure"},
		"temporary to static": {common.Credential{SecretId: "id", SecretKey: "k1", Token: "t1"}, common.Credential{SecretId: "id", SecretKey: "k1"}, "AuthFailure.TokenFailure"},
		"all of it":           {common.Credential{SecretId: "old", SecretKey: "k1", Token: "t1"}, common.Credential{SecretId: "new", SecretKey: "k2", Token: "t2"}, "AuthFailure.SecretIdNotFound"},
	} {
		for _, signature := range signaturesV3 {
			setUp := func(t *testing.T, answers ...tctest.Answer) (api *tctest.API, client *cvm.Client, rotate func()) {
				api = tctest.New(tctest.WithCredential(row.old.SecretId, row.old.SecretKey, row.old.Token), tctest.WithScript("*", answers...))
				key := &rotating{now: row.old}
				revoke := func() {
					api.RemoveCredential(row.old.SecretId)
					api.SetCredential(row.fresh.SecretId, row.fresh.SecretKey, row.fresh.Token)
				}
				wire := api.RoundTripper()
				var once sync.Once
				client, _ = newSigningCVM(t, key, roundTripper(func(r *http.Request) (*http.Response, error) {
					if len(answers) == 0 { // the SDK has signed with the old key by then
						once.Do(func() { revoke(); key.set(row.fresh) })
					}
					return wire.RoundTrip(r)
				}), signature.edit, tencenthttp.WithHooks(tencenthttp.Hooks{Retry: func(context.Context, tencenthttp.RetryInfo) {
					revoke()
					key.set(row.fresh)
				}}))
				return api, client, revoke
			}
			t.Run(name+"/"+signature.name+"/on its way", func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					api, client, _ := setUp(t)
					require.NoError(t, runInstances(client, ""), "a refused write was not run")
					assert.Equal(t, map[string]int{row.wantCode: 1}, api.Tally().Codes)
					assert.Equal(t, 2, api.Count())

					require.NoError(t, runInstances(client, ""))
					assert.Equal(t, 3, api.Count(), "the SDK has the new key too")
				})
			})
			t.Run(name+"/"+signature.name+"/between attempts", func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					api, client, _ := setUp(t, tctest.Fail("RequestLimitExceeded"))
					require.NoError(t, runInstances(client, ""))
					calls := api.Calls()
					require.Len(t, calls, 2)
					assert.Equal(t, row.old.SecretId, calls[0].SecretID)
					assert.Equal(t, row.fresh.SecretId, calls[1].SecretID)
					assert.Equal(t, row.fresh.Token, calls[1].Header.Get("X-TC-Token"))
					assert.Equal(t, calls[0].Body, calls[1].Body)
				})
			})
			t.Run(name+"/"+signature.name+"/nothing new to be had", func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					api, client, revoke := setUp(t, tctest.Normal())
					revoke()
					assert.Equal(t, row.wantCode, requireSDKError(t, runInstances(client, "")).GetCode())
					assert.Equal(t, 1, api.Count())
				})
			})
		}
	}
}

// issuer gives out temporary keys of which the fake API knows the last one only.
type issuer struct {
	api    *tctest.API
	issued int
}

func (i *issuer) issue() common.Credential {
	i.api.RemoveCredential(fmt.Sprintf("AKIDtemporary%d", i.issued))
	i.issued++
	c := common.Credential{SecretId: fmt.Sprintf("AKIDtemporary%d", i.issued), SecretKey: fmt.Sprint("key", i.issued), Token: fmt.Sprint("token", i.issued)}
	i.api.SetCredential(c.SecretId, c.SecretKey, c.Token)
	return c
}

// A call waits for longer than the SDK's own credentials live: the attempt after that has a key that did not exist when it began.
func TestSDK_CredentialThatRefreshesItself(t *testing.T) {
	for name, newCredential := range map[string]func(*testing.T, *issuer) (common.CredentialIface, error){
		"CVM role": cvmRoleCredential,
		"STS role": stsRoleCredential,
	} {
		for _, signature := range signaturesV3 {
			t.Run(name+"/"+signature.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					api := newAPI(tctest.WithScript("DescribeInstances", tctest.Fail("OperationDenied.MutexTaskRunning").Times(2)))
					keys := &issuer{api: api}
					credential, err := newCredential(t, keys)
					require.NoError(t, err)
					require.Equal(t, 1, keys.issued)
					client, _ := newSigningCVM(t, credential, api.RoundTripper(), signature.edit,
						every(8*time.Minute), tencenthttp.WithMaxElapsedTime(time.Hour))

					require.NoError(t, describeInstances(client))

					var ids []string
					for _, call := range api.Calls(tctest.ByAction("DescribeInstances")) {
						ids = append(ids, call.SecretID)
						assert.Equal(t, strings.Replace(call.SecretID, "AKIDtemporary", "token", 1), call.Header.Get("X-TC-Token"))
					}
					assert.Equal(t, []string{"AKIDtemporary1", "AKIDtemporary1", "AKIDtemporary2"}, ids)
				})
			})
		}
	}
}

// cvmRoleCredential is the SDK's credential of the machine it runs on, with a metadata service for it. It is good for ten minutes.
func cvmRoleCredential(t *testing.T, keys *issuer) (common.CredentialIface, error) {
	original := http.DefaultClient.Transport // which is what the SDK asks with
	t.Cleanup(func() { http.DefaultClient.Transport = original })
	http.DefaultClient.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		key := keys.issue()
		return &http.Response{StatusCode: http.StatusOK, Request: r, Body: io.NopCloser(strings.NewReader(fmt.Sprintf(
			`{"TmpSecretId":%q,"TmpSecretKey":%q,"Token":%q,"ExpiredTime":%d,"Code":"Success"}`,
			key.SecretId, key.SecretKey, key.Token, time.Now().Add(10*time.Minute+common.ExpiredTimeout*time.Second).Unix())))}, nil
	})
	return common.NewCvmRoleProvider("role").GetCredential()
}

// stsRoleCredential is the SDK's credential of a role that it assumes with a permanent key. It is good for twelve minutes.
func stsRoleCredential(t *testing.T, keys *issuer) (common.CredentialIface, error) {
	keys.api.Handle("AssumeRole", func(*tctest.Request) (any, error) {
		key := keys.issue()
		return map[string]any{
			"Credentials": map[string]any{"TmpSecretId": key.SecretId, "TmpSecretKey": key.SecretKey, "Token": key.Token},
			"ExpiredTime": time.Now().Add(2 * time.Hour).Unix(),
		}, nil
	})
	original := http.DefaultTransport // which the SDK's clients begin with
	t.Cleanup(func() { http.DefaultTransport = original })
	http.DefaultTransport = keys.api.RoundTripper()
	return common.NewRoleArnProvider(secretID, secretKey, "qcs::cam::uin/1:roleName/role", "session", 7200).GetCredential()
}
