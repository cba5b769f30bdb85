// Package tctest is a fake of Tencent Cloud API 3.0 for tests.
package tctest
