package transport

import (
	"context"
	"encoding/json"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
	"github.com/tidwall/gjson"

	"github.com/anything-mcp/anything-mcp/apps"
)

// session is mcp-go's view of a client while it handles one message. It is not
// registered, so it gets no broadcasts.
type session struct {
	id    string
	notes chan mcp.JSONRPCNotification // nil except for subscriptions/listen: a send then fails at once
	caps  mcp.ClientCapabilities

	version string                              // see peer
	tools   func() map[string]server.ServerTool // nil: the message asks for none
}

var (
	_ server.SessionWithTools           = (*session)(nil)
	_ server.SessionWithClientInfo      = (*session)(nil)
	_ server.SessionWithProtocolVersion = (*session)(nil)
)

// view returns the view of the client that sent a call. A client before 2026-07-28
// has declared its capabilities with initialize, and only what this server uses is
// remembered of them.
func (d *dispatcher) view(c *call) *session {
	s := &session{id: c.key.session}
	if !mcp.IsModernProtocol(c.version) { // initialize never agrees on such a version
		s.version = c.version
	}
	if c.showsPages {
		s.caps.Extensions = map[string]any{apps.Extension: map[string]any{"mimeTypes": []any{apps.MIMEType}}}
	}
	return s
}

// ask makes mcp-go handle a message.
func (d *dispatcher) ask(ctx context.Context, s *session, method string, raw []byte) (resp mcp.JSONRPCMessage) {
	defer d.recoverInto(&resp, method)
	ctx = d.srv.WithContext(ctx, s)
	var failed bool
	if d.asksForTools(method, raw) {
		s.tools = sync.OnceValue(func() map[string]server.ServerTool {
			tools, err := d.toolbox.Tools(ctx)
			if failed = err != nil; failed && ctx.Err() == nil {
				d.log.Error("the further tools could not be read", "method", method, "err", err)
			}
			return tools
		})
	}
	resp = d.srv.HandleMessage(ctx, raw)
	if failed && method == string(mcp.MethodToolsCall) {
		return internalFailure()
	}
	return d.explain(s, method, raw, resp)
}

// asksForTools reports whether a message asks for tools that are not registered.
func (d *dispatcher) asksForTools(method string, raw []byte) bool {
	switch {
	case d.toolbox == nil:
		return false
	case method == string(mcp.MethodToolsCall):
		return d.srv.GetTool(gjson.GetBytes(raw, "params.name").String()) == nil
	default:
		return method == string(mcp.MethodToolsList)
	}
}

// discover returns what server/discover answers with. Its _meta has the server's name
// and version, which mcp-go adds to every result.
func (d *dispatcher) discover() mcp.DiscoverResult {
	resp := d.srv.HandleMessage(context.Background(), json.RawMessage(`{"jsonrpc":"2.0","id":0,"method":"server/discover",`+
		`"params":{"_meta":{"`+mcp.MetaKeyProtocolVersion+`":"`+mcp.LATEST_PROTOCOL_VERSION+`","`+mcp.MetaKeyClientCapabilities+`":{}}}}`))
	r, _ := resp.(mcp.JSONRPCResponse)
	about, _ := r.Result.(mcp.DiscoverResult)
	return about
}

// advertised returns the lists of whose changes the server says that it tells.
func (d *dispatcher) advertised() (l lists) {
	caps := d.about().Capabilities
	if caps.Tools != nil && caps.Tools.ListChanged {
		l |= toolList
	}
	if caps.Resources != nil && caps.Resources.ListChanged {
		l |= resourceList
	}
	return l
}

func (s *session) SessionID() string { return s.id }

func (s *session) ProtocolVersion() string { return s.version }

func (s *session) NotificationChannel() chan<- mcp.JSONRPCNotification { return s.notes }

func (s *session) Initialize() {}

func (s *session) Initialized() bool { return true }

// GetSessionTools returns the further tools of the client, which mcp-go lists and
// calls like its own.
func (s *session) GetSessionTools() map[string]server.ServerTool {
	if s.tools == nil {
		return nil
	}
	return s.tools()
}

// SetSessionTools is a no-op: the toolbox alone says which tools there are.
func (s *session) SetSessionTools(map[string]server.ServerTool) {}

// GetClientInfo returns nothing, because no tool asks for it.
func (s *session) GetClientInfo() mcp.Implementation { return mcp.Implementation{} }

// SetClientInfo is a no-op.
func (s *session) SetClientInfo(mcp.Implementation) {}

func (s *session) GetClientCapabilities() mcp.ClientCapabilities { return s.caps }

// SetClientCapabilities is called with the capabilities of initialize, and since
// 2026-07-28 with those of each request.
func (s *session) SetClientCapabilities(caps mcp.ClientCapabilities) { s.caps = caps }
