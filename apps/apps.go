// Package apps names MCP Apps, the extension with which hosts show pages of a server,
// for the tools and the transports.
package apps

import (
	"slices"

	"github.com/mark3labs/mcp-go/mcp"
)

// Extension is the name of the extension.
const Extension = "io.modelcontextprotocol/ui"

// MIMEType is the type of a page.
const MIMEType = "text/html;profile=mcp-app"

// onlyApp is the visibility of a tool that pages may call and models do not see.
const onlyApp = "app"

// Declared reports whether a client declares the extension with [MIMEType] in its
// capabilities, which may be nil. A client before 2026-07-28 declares it with
// initialize, and another one with each request.
func Declared(caps *mcp.ClientCapabilities) bool {
	if caps == nil {
		return false
	}
	settings, _ := caps.Extensions[Extension].(map[string]any)
	types, _ := settings["mimeTypes"].([]any)
	return slices.Contains(types, any(MIMEType))
}

// WithPage returns the _meta of a tool whose calls hosts show with the page at uri.
// Older hosts know only the flat key.
func WithPage(uri string) *mcp.Meta {
	return mcp.NewMetaFromMap(map[string]any{"ui": map[string]any{"resourceUri": uri}, "ui/resourceUri": uri})
}

// ForPages returns the _meta of a tool that only pages call.
func ForPages() *mcp.Meta {
	return mcp.NewMetaFromMap(map[string]any{"ui": map[string]any{"visibility": []string{onlyApp}}})
}

// IsForPages reports whether a tool has the _meta of [ForPages]. Such a tool is told
// to nobody but clients that declare the extension.
func IsForPages(tool mcp.Tool) bool {
	if tool.Meta == nil {
		return false
	}
	settings, _ := tool.Meta.AdditionalFields["ui"].(map[string]any)
	visibility, _ := settings["visibility"].([]string)
	return slices.Equal(visibility, []string{onlyApp})
}
