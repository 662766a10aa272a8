package transport

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
	"github.com/tidwall/gjson"

	"github.com/anything-mcp/anything-mcp/apps"
)

// noResource is the error for a URI that names nothing, something that has expired, or
// something of another owner.
const noResource = "There is no resource with this URI, or it has expired. " +
	"resources/templates/list says which URIs there are."

// explain replaces errors of mcp-go that do not say what is right, that name types of
// Go, or that have the wrong code. s is the view of the client that gets the error.
// The error of a resource's handler means that there is no such resource if it wraps
// [server.ErrResourceNotFound] and ends in its text. The error of a prompt's handler
// means that the arguments are wrong.
func (d *dispatcher) explain(s *session, method string, raw []byte, resp mcp.JSONRPCMessage) mcp.JSONRPCMessage {
	failed, ok := resp.(mcp.JSONRPCError)
	if !ok {
		return resp
	}
	e := &failed.Error
	says := func(notFound error) bool { return strings.HasSuffix(e.Message, notFound.Error()) }
	switch {
	case method == string(mcp.MethodToolsCall) && says(server.ErrToolNotFound):
		e.Message = "There is no tool of that name: the tools are " + strings.Join(d.toolNames(s), ", ") + "."
	case method == string(mcp.MethodPromptsGet) && says(server.ErrPromptNotFound):
		names := slices.Sorted(maps.Keys(d.srv.ListPrompts()))
		e.Message = "There is no prompt of that name: the prompts are " + strings.Join(names, ", ") + "."
	case method == string(mcp.MethodResourcesRead) && says(server.ErrResourceNotFound):
		e.Message, e.Code = noResource, mcp.RESOURCE_NOT_FOUND
		e.Data = map[string]string{"uri": gjson.GetBytes(raw, "params.uri").String()}
		if isModern(raw) {
			e.Code = mcp.INVALID_PARAMS
		}
	case strings.HasPrefix(e.Message, "unparsable "), e.Code == mcp.PARSE_ERROR:
		// paramsShape has refused all other values that mcp-go cannot read.
		*e = mcp.NewJSONRPCErrorDetails(mcp.INVALID_PARAMS, "A number in the request is too large.", nil)
	case method == string(mcp.MethodPromptsGet) && e.Code == mcp.INTERNAL_ERROR:
		e.Code = mcp.INVALID_PARAMS
	}
	return failed
}

// toolNames returns the names of the tools that are listed to a client and that a model
// may call.
func (d *dispatcher) toolNames(s *session) (names []string) {
	ctx := d.srv.WithContext(context.Background(), s)
	resp, _ := d.srv.HandleMessage(ctx, json.RawMessage(`{"jsonrpc":"2.0","id":0,"method":"tools/list"}`)).(mcp.JSONRPCResponse)
	list, _ := resp.Result.(mcp.ListToolsResult)
	for _, t := range list.Tools {
		if !apps.IsForPages(t) {
			names = append(names, t.Name)
		}
	}
	return names
}

// isModern reports whether a request is of the protocol of 2026-07-28.
func isModern(raw json.RawMessage) bool {
	return mcp.IsModernProtocol(gjson.GetBytes(raw, `params._meta.io\.modelcontextprotocol/protocolVersion`).String())
}
