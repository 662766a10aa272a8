package tools

import (
	"context"
	"encoding/json"
	"slices"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/anything-mcp/anything-mcp/apps"
	"github.com/anything-mcp/anything-mcp/ui"
)

// monitorURI is the address of the build monitor. Hosts keep a page by its address,
// so that the address that the tools name also has a hash of the page. Any hash is
// answered with the page of today, because hosts keep addresses too.
const monitorURI = "ui://anything-mcp/monitor"

// currentMonitorURI returns the address with the hash.
var currentMonitorURI = sync.OnceValue(func() string { return monitorURI + "?v=" + ui.Version() })

// addApps offers the build monitor to clients that declare MCP Apps. For all others
// the lists stay as they are.
func (s *service) addApps(hooks *server.Hooks) {
	hooks.AddAfterListTools(s.showMonitor)
	hooks.AddAfterListResources(listMonitor)
	hooks.AddAfterListResourceTemplates(hideMonitor)
	s.mcp.AddResourceTemplate(mcp.NewResourceTemplate(monitorURI+"{?v}", "monitor",
		mcp.WithTemplateDescription(monitorDescription), mcp.WithTemplateMIMEType(apps.MIMEType)), readMonitor)
}

const monitorDescription = "The page that shows a build or a run while it goes on"

// showMonitor shows the page with what starts a build or a run, pinned functions
// included, and not with what a model polls with, because hosts draw a page for each
// call.
func (s *service) showMonitor(ctx context.Context, _ any, _ *mcp.ListToolsRequest, result *mcp.ListToolsResult) {
	if !clientShowsApps(ctx) {
		result.Tools = slices.DeleteFunc(slices.Clone(result.Tools), apps.IsForPages)
		return
	}
	meta := apps.WithPage(currentMonitorURI())
	for i, listed := range result.Tools {
		switch listed.Name {
		case buildAutomation.name, runFunction.name:
			result.Tools[i].Meta = meta
		default:
			if s.tools[listed.Name] == nil { // a pin
				result.Tools[i].Meta = meta
			}
		}
	}
}

// monitorMeta returns what hosts need to know of the page: that it needs nothing from
// elsewhere, and a border.
func monitorMeta() map[string]any {
	return map[string]any{"ui": map[string]any{"csp": struct{}{}, "prefersBorder": true}}
}

// listMonitor lists the page, for clients that show it. Some hosts read its settings
// only here, and others only with the page itself.
func listMonitor(ctx context.Context, _ any, _ *mcp.ListResourcesRequest, result *mcp.ListResourcesResult) {
	if !clientShowsApps(ctx) {
		return
	}
	result.Resources = append(slices.Clone(result.Resources), mcp.Resource{
		Meta: mcp.NewMetaFromMap(monitorMeta()), URI: currentMonitorURI(), Name: "monitor", Title: "Build monitor",
		Description: monitorDescription, MIMEType: apps.MIMEType,
	})
}

// hideMonitor hides the template of the page's addresses from clients that do not
// show it.
func hideMonitor(ctx context.Context, _ any, _ *mcp.ListResourceTemplatesRequest, result *mcp.ListResourceTemplatesResult) {
	if !clientShowsApps(ctx) {
		isPage := func(t mcp.ResourceTemplate) bool { return t.MIMEType == apps.MIMEType }
		result.ResourceTemplates = slices.DeleteFunc(slices.Clone(result.ResourceTemplates), isPage)
	}
}

// readMonitor returns the page.
func readMonitor(_ context.Context, req mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
	return []mcp.ResourceContents{mcp.TextResourceContents{
		Meta: monitorMeta(), URI: req.Params.URI, MIMEType: apps.MIMEType, Text: ui.Page(),
	}}, nil
}

// clientShowsApps reports whether the client of a request has declared MCP Apps: with
// the request or, before 2026-07-28, with initialize. It needs the context that mcp-go
// gives to handlers and hooks.
func clientShowsApps(ctx context.Context) bool {
	if info := server.RequestProtocolInfoFromContext(ctx); info != nil && info.Modern {
		return apps.Declared(info.ClientCapabilities)
	}
	session, ok := server.ClientSessionFromContext(ctx).(server.SessionWithClientInfo)
	if !ok {
		return false
	}
	caps := session.GetClientCapabilities()
	return apps.Declared(&caps)
}

// Call calls a tool for a page that a person has opened in a browser. Nothing of the
// call but its context and its arguments is a client's, so it gets neither progress nor
// a task. It returns false if there is no such tool.
func (s Server) Call(ctx context.Context, name string, arguments json.RawMessage) (*mcp.CallToolResult, bool) {
	t := s.service.tools[name]
	if t == nil {
		return nil, false
	}
	return t.call(ctx, arguments), true
}
