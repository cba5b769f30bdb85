package config

import (
	"reflect"
	"slices"
	"strings"
)

// key is a field of a struct as YAML knows it.
type key struct {
	name, usage string
	typ         reflect.Type
}

// keysOf returns the fields of a struct type, those of inlined structs among them.
func keysOf(t reflect.Type) []key {
	var keys []key
	for f := range t.Fields() {
		name, option, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case option == "inline":
			keys = append(keys, keysOf(f.Type)...)
		case name != "" && name != "-":
			keys = append(keys, key{name, f.Tag.Get("usage"), f.Type})
		}
	}
	return keys
}

func find(keys []key, name string) (key, bool) {
	at := slices.IndexFunc(keys, func(k key) bool { return k.name == name })
	if at < 0 {
		return key{}, false
	}
	return keys[at], true
}

func names(keys []key) string {
	list := make([]string, len(keys))
	for i, k := range keys {
		list[i] = k.name
	}
	return strings.Join(list, ", ")
}
