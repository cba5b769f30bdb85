// Package policy has the policies that the storm simulator compares: this project's Transport in its various settings, and the
// libraries that others use, all with the same rules.
package policy
