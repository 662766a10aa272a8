// Package tasks holds what the tools and the transports share of MCP's tasks
// extension.
package tasks

import "github.com/mark3labs/mcp-go/mcp"

// Extension is the name of the extension. With protocol version 2026-07-28 it
// lets a tools/call be answered with a task, which the client polls for the
// result. The experimental tasks of 2025-11-25 are not supported.
const Extension = "io.modelcontextprotocol/tasks"

// ResultType marks a tool's result as a task. Such a result has the task, a JSON
// object without resultType and _meta, as its RawStructuredContent. A tool may
// return it to a client that declares the extension, and to no other.
const ResultType mcp.ResultType = "task"

// Declared reports whether a client declares the extension in the capabilities
// that it sends with a request, which may be nil.
func Declared(caps *mcp.ClientCapabilities) bool {
	if caps == nil {
		return false
	}
	_, declared := caps.Extensions[Extension].(map[string]any)
	return declared
}
