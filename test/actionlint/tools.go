//go:build tools

// Package tools makes actionlint, which checks the workflows, a dependency whose version go.sum pins.
package tools

import _ "github.com/rhysd/actionlint/cmd/actionlint"
