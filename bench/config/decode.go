package config

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Decode stores a YAML value in the struct that into points to, and leaves fields alone that it does not mention. A key that
// the struct does not have is an error, as is a value of another kind; all are reported, each with its line.
func Decode(node *yaml.Node, into any) error {
	if errs := faults(node, reflect.TypeOf(into).Elem(), ""); errs != nil {
		return errors.Join(errs...)
	}
	return plain(node.Decode(into))
}

// plain takes the words about Go's types out of YAML's errors.
func plain(err error) error {
	wrong, ok := errors.AsType[*yaml.TypeError](err)
	if !ok {
		return err
	}
	var errs []error
	for _, text := range wrong.Errors {
		for _, word := range []string{"!!str ", "!!int ", "!!float ", "!!bool ", "!!map", "!!seq"} {
			text = strings.ReplaceAll(text, word, "")
		}
		text = strings.ReplaceAll(text, "cannot unmarshal", "cannot take")
		text = strings.NewReplacer("into float64", "for a number", "into int", "for a whole number", "into bool", "for true or false").Replace(text)
		errs = append(errs, errors.New(text))
	}
	return errors.Join(errs...)
}

// faults returns an error for each key that the type does not have, and for what YAML itself would let pass.
func faults(node *yaml.Node, t reflect.Type, path string) []error {
	switch {
	case node.Kind == yaml.DocumentNode:
		return faults(node.Content[0], t, path)
	case node.Kind == yaml.SequenceNode && t.Kind() == reflect.Slice:
		var errs []error
		for _, item := range node.Content {
			errs = append(errs, faults(item, t.Elem(), path)...)
		}
		return errs
	case node.Kind == yaml.ScalarNode && node.Tag == "!!float" && t.Kind() == reflect.Int: // it would be cut off
		return []error{fmt.Errorf("line %d: cannot take `%s` for a whole number", node.Line, node.Value)}
	case node.Kind != yaml.MappingNode || t.Kind() != reflect.Struct || t == reflect.TypeFor[yaml.Node]():
		return nil
	}
	keys := keysOf(t)
	var errs []error
	for i := 0; i+1 < len(node.Content); i += 2 {
		name := node.Content[i]
		k, ok := find(keys, name.Value)
		if !ok {
			errs = append(errs, fmt.Errorf("line %d: there is no key %s%s, but %s", name.Line, path, name.Value, names(keys)))
			continue
		}
		errs = append(errs, faults(node.Content[i+1], k.typ, path+name.Value+".")...)
	}
	return errs
}
