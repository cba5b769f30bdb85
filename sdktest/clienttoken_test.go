package sdktest

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/tctest"
)

func TestSDK_ClientTokens(t *testing.T) {
	for _, row := range []struct {
		signature string
		edit      profileEdit
		opts      []tencenthttp.Option
		wantCalls int
	}{
		{"TC3 POST", signatures[0].edit, []tencenthttp.Option{tencenthttp.WithClientTokens()}, 2},
		{"TC3 POST, named", signatures[0].edit, []tencenthttp.Option{tencenthttp.WithClientTokens("cvm:RunInstances")}, 2},
		{"TC3 POST, unsigned payload", signatures[1].edit, []tencenthttp.Option{tencenthttp.WithClientTokens()}, 2},
		{"TC3 POST, of other actions", signatures[0].edit, []tencenthttp.Option{tencenthttp.WithClientTokens("cbs:RunInstances")}, 1},
		{"TC3 POST, not asked for", signatures[0].edit, nil, 1},
		{"TC3 GET has no JSON", signatures[2].edit, []tencenthttp.Option{tencenthttp.WithClientTokens()}, 1},
		{"v1 POST cannot be signed", signatures[5].edit, []tencenthttp.Option{tencenthttp.WithClientTokens()}, 1},
	} {
		for _, base := range bases {
			t.Run(row.signature+"/"+base.name, func(t *testing.T) {
				var mu sync.Mutex
				bought := map[string]int{} // by ClientToken, as the service does it
				api, wire := base.dial(t, tctest.WithHandler("RunInstances", func(r *tctest.Request) (any, error) {
					mu.Lock()
					defer mu.Unlock()
					bought[r.ClientToken()]++
					return map[string]any{"InstanceIdSet": []string{"ins-" + r.ClientToken()}}, nil
				}), tctest.WithScript("RunInstances", tctest.Normal().CutAt(tctest.CutBeforeAnswer, 0)))
				client, _ := newSigningCVM(t, credential(), wire, row.edit, row.opts...)

				response, err := client.RunInstances(newRunInstances(""))

				calls := api.Calls()
				require.Len(t, calls, row.wantCalls)
				if row.wantCalls == 1 {
					assert.Equal(t, tencenthttp.ReasonNotIdempotent, requireCallError(t, err).Reason)
					assert.Empty(t, calls[0].ClientToken)
					return
				}
				require.NoError(t, err, "with a signature that was verified")
				token := calls[0].ClientToken
				assert.Len(t, token, 26)
				assert.Equal(t, string(calls[0].Body), string(calls[1].Body))
				assert.Equal(t, map[string]int{token: 2}, bought)
				assert.Equal(t, "ins-"+token, *response.Response.InstanceIdSet[0])

				require.NoError(t, runInstances(client, ""))
				require.NoError(t, runInstances(client, "mine"))
				calls = api.Calls()
				assert.NotEqual(t, token, calls[2].ClientToken, "another call, another token")
				assert.Equal(t, "mine", calls[3].ClientToken)
			})
		}
	}
}
