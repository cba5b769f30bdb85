package tencenthttp

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEnvironmentCredentials(t *testing.T) {
	t.Setenv(envSecretID, "")
	t.Setenv(envSecretKey, "")
	t.Setenv(envToken, "")
	provider := EnvironmentCredentials()
	_, err := provider.Credentials(t.Context())
	require.ErrorIs(t, err, errNoCredentials)
	require.ErrorContains(t, err, "TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY must be set")

	t.Setenv(envSecretID, "id")
	t.Setenv(envSecretKey, "key")
	keys, err := provider.Credentials(t.Context())
	require.NoError(t, err)
	assert.Equal(t, Credentials{"id", "key", ""}, keys)

	t.Setenv(envToken, "token") // read anew for each signature
	keys, err = provider.Credentials(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "token", keys.Token)
}

func TestCredentials_ShowNothing(t *testing.T) {
	keys := Credentials{"AKIDx", "hush", "tok"}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		text := fmt.Sprintf(format, keys) + fmt.Sprintf(format, &keys)
		for _, secret := range []string{"AKIDx", "hush", "tok\""} {
			assert.NotContains(t, text, secret, format)
		}
	}
}
