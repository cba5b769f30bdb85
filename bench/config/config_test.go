package config_test

import (
	"flag"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/tencenthttp/tencenthttp/bench/config"
	"github.com/tencenthttp/tencenthttp/bench/sim"
)

type inner struct {
	Rate  float64      `yaml:"rate" usage:"calls per second"`
	After sim.Duration `yaml:"after" usage:"a while"`
}

type shared struct {
	On bool `yaml:"on" usage:"whether"`
}

type outer struct {
	Name   string  `yaml:"name"`
	Count  int     `yaml:"count" usage:"how many"`
	Inner  inner   `yaml:"inner"`
	List   []inner `yaml:"list"`
	shared `yaml:",inline"`
	Hidden int
}

func decode(t *testing.T, text string, into any) error {
	t.Helper()
	var node yaml.Node
	require.NoError(t, yaml.Unmarshal([]byte(text), &node))
	return config.Decode(&node, into)
}

func TestDecode(t *testing.T) {
	got := outer{Name: "before", Count: 3, Inner: inner{Rate: 1, After: 2}}
	require.NoError(t, decode(t, "inner: {rate: 7}\nlist: [{rate: 1, after: 1m30s}]\n", &got))
	assert.Equal(t, outer{
		Name: "before", Count: 3, Inner: inner{Rate: 7, After: 2},
		List: []inner{{Rate: 1, After: sim.Duration(90 * time.Second)}},
	}, got)
}

func TestDecode_errors(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"unknown key", "name: x\ncuont: 3", "line 2: there is no key cuont, but name, count, inner, list, on"},
		{"unknown key below", "inner:\n  rat: 3", "line 2: there is no key inner.rat, but rate, after"},
		{"unknown key in a list", "list:\n- rate: 3\n- rat: 3", "line 3: there is no key list.rat, but rate, after"},
		{"a field that is no key", "Hidden: 3", "line 1: there is no key Hidden"},
		{"two at once", "a: 1\nb: 2", "line 2: there is no key b"},
		{"no number", "inner: {rate: fast}", "line 1: cannot take `fast` for a number"},
		{"no whole number", "count: 1.5", "line 1: cannot take `1.5` for a whole number"},
		{"no duration", "inner:\n  after: 5", `line 2: "5" is no duration such as 250ms or 1m30s`},
		{"no truth", "on: perhaps", "line 1: cannot take `perhaps` for true or false"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			assert.ErrorContains(t, decode(t, tt.text, new(outer)), tt.want)
		})
	}
}

func parse(t *testing.T, args ...string) (config.Overrides, error) {
	t.Helper()
	fs := flag.NewFlagSet("test", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	var o config.Overrides
	o.Register(fs, new(outer))
	assert.Nil(t, fs.Lookup("name"), "it has no usage tag")
	assert.Nil(t, fs.Lookup("list"))
	return o, fs.Parse(args)
}

func TestOverrides(t *testing.T) {
	o, err := parse(t, "-inner.rate", "40", "-count=7", "-inner.after", "3s", "-on", "true")
	require.NoError(t, err)
	assert.True(t, o.Has("inner.rate"))
	assert.False(t, o.Has("name"))
	got := outer{Name: "mine", Inner: inner{Rate: 1}}
	applied, err := o.Apply(&got)
	require.NoError(t, err)
	assert.Equal(t, []string{"inner.rate 40", "count 7", "inner.after 3s", "on true"}, applied)
	assert.Equal(t, outer{Name: "mine", Count: 7, Inner: inner{Rate: 40, After: sim.Duration(3 * time.Second)}, shared: shared{On: true}}, got)

	var part shared
	applied, err = o.Apply(&part)
	require.NoError(t, err)
	assert.Equal(t, []string{"on true"}, applied, "the others are for somebody else")
	assert.True(t, part.On)
}

func TestOverrides_errors(t *testing.T) {
	for _, tt := range []struct{ name, value, want string }{
		{"inner.rate", "fast", "cannot take `fast` for a number"},
		{"inner.after", "5", `"5" is no duration`},
		{"count", "{", "is no value"},
		{"inner.rat", "5", "flag provided but not defined"},
	} {
		_, err := parse(t, "-"+tt.name, tt.value)
		assert.ErrorContains(t, err, tt.want)
	}
}
