package tencenthttp

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestJSONMembers(t *testing.T) {
	rows := []struct {
		name, object string
		want         []string
	}{
		{"empty", `{}`, nil},
		{"blank", " { \n } ", nil},
		{
			"every kind of value", `{"a":1,"b":-1.5e+3,"c":"x","d":true,"e":false,"f":null,"g":[1,[2]],"h":{"a":{"b":"}"}}}`,
			[]string{`a=1`, `b=-1.5e+3`, `c="x"`, `d=true`, `e=false`, `f=null`, `g=[1,[2]]`, `h={"a":{"b":"}"}}`},
		},
		{"blank between tokens", "{ \"a\" :\t1 ,\r\n \"b\" : [ ] , \"c\" : null }", []string{`a=1`, `b=[ ]`, `c=null`}},
		{"quotes and brackets in strings", `{"\"":"\"}","]":["]","\\"],"c":"\\"}`, []string{`"="\"}"`, `]=["]","\\"]`, `c="\\"`}},
		{"escaped keys", `{"\u0041":1,"\ud83d\ude00":2}`, []string{"A=1", "\U0001F600=2"}},
		{"empty key", `{"":1}`, []string{"=1"}},
		{"duplicates", `{"a":1,"a":2}`, []string{"a=1", "a=2"}},
		{"array", `[1,2]`, nil},
		{"string", `"a"`, nil},
		{"nothing", ``, nil},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			require.True(t, row.object == "" || json.Valid([]byte(row.object)))
			var got []string
			jsonMembers([]byte(row.object), func(key string, value []byte) bool {
				got = append(got, key+"="+string(value))
				return true
			})
			assert.Equal(t, row.want, got)
		})
	}
	t.Run("ends when visit says so", func(t *testing.T) {
		visits := 0
		jsonMembers([]byte(`{"a":1,"b":2}`), func(string, []byte) bool { visits++; return false })
		assert.Equal(t, 1, visits)
	})
	t.Run("C45 depth costs no stack", func(t *testing.T) {
		deep := `{"a":` + strings.Repeat("[", 1<<20) + strings.Repeat("]", 1<<20) + `}`
		visits := 0
		jsonMembers([]byte(deep), func(_ string, value []byte) bool {
			visits++
			assert.Len(t, value, 2<<20)
			return true
		})
		assert.Equal(t, 1, visits)
	})
}

func TestJSONString(t *testing.T) {
	for value, want := range map[string]string{
		`"plain"`: "plain", `""`: "", `"\u0041\n"`: "A\n", `"é"`: "é", "\"\xff\"": "\ufffd", `"\ud83d"`: "\ufffd",
		`5`: "", `null`: "", `{"a":"b"}`: "", `"`: "", ``: "", "\"\\x\"": "",
	} {
		assert.Equal(t, want, jsonString([]byte(value)), "%q", value)
	}
}
