//go:build tools

// Package tools names the Pulumi CLI as something to be built: its own go.mod has replacements, which `go install` refuses.
package tools

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
