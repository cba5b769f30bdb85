package config

import (
	"flag"
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Overrides are the values that flags gave to keys.
type Overrides []override

type override struct{ path, value string }

// Register defines a flag for every key of the struct that example points to which has a usage tag. What they are given is checked against
// the example and added to the overrides.
func (o *Overrides) Register(fs *flag.FlagSet, example any) {
	register(fs, reflect.TypeOf(example).Elem(), "", func(path, value string) error {
		next := override{path, value}
		if err := next.apply(example); err != nil {
			return err
		}
		*o = append(*o, next)
		return nil
	})
}

func register(fs *flag.FlagSet, t reflect.Type, prefix string, set func(path, value string) error) {
	for _, k := range keysOf(t) {
		path := prefix + k.name
		switch {
		case k.typ.Kind() == reflect.Struct:
			register(fs, k.typ, path+".", set)
		case k.usage != "":
			fs.Func(path, k.usage, func(value string) error { return set(path, value) })
		}
	}
}

// Apply stores the values in the struct that into points to, if it has the keys, and returns what it stored as text.
func (o Overrides) Apply(into any) ([]string, error) {
	var applied []string
	for _, next := range o {
		if !next.fits(reflect.TypeOf(into).Elem()) {
			continue
		}
		if err := next.apply(into); err != nil {
			return nil, fmt.Errorf("%s: %w", next.path, err)
		}
		applied = append(applied, next.path+" "+next.value)
	}
	return applied, nil
}

// Has tells whether the key was given a value.
func (o Overrides) Has(path string) bool {
	for _, next := range o {
		if next.path == path {
			return true
		}
	}
	return false
}

func (o override) fits(t reflect.Type) bool {
	for name := range strings.SplitSeq(o.path, ".") {
		k, ok := find(keysOf(t), name)
		if !ok {
			return false
		}
		t = k.typ
		if t.Kind() != reflect.Struct {
			return true
		}
	}
	return false
}

func (o override) apply(into any) error {
	path := strings.Split(o.path, ".")
	text := strings.Join(path, ": {") + ": " + o.value + strings.Repeat("}", len(path)-1)
	var node yaml.Node
	if err := yaml.Unmarshal([]byte(text), &node); err != nil {
		return fmt.Errorf("%q is no value", o.value)
	}
	if err := Decode(&node, into); err != nil {
		_, text, _ := strings.Cut(err.Error(), ": ")
		return fmt.Errorf("%s", text)
	}
	return nil
}
