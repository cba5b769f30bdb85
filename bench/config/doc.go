// Package config fills structs with yaml tags from YAML and from flags, and says clearly what is wrong with either. The name of a
// flag is the path of a key, such as quota.rate, and its usage is the field's usage tag.
package config
