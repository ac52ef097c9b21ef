//go:build tools

// Package tools makes the Pulumi CLI a dependency that can be built. `go install` rejects its go.mod, which has replacements.
package tools

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
