// Package tasks names MCP's tasks extension, for the tools that answer with
// tasks and for the transports that give those answers their shape.
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
// that it sends with a request. nil declares nothing.
func Declared(caps *mcp.ClientCapabilities) bool {
	if caps == nil {
		return false
	}
	_, declared := caps.Extensions[Extension].(map[string]any)
	return declared
}
