package transport

import (
	"context"

	"github.com/mark3labs/mcp-go/server"
)

// Toolbox has what changes while a server runs: tools besides those that are
// registered with mcp-go, and lists whose changes clients are told of. It is safe for
// concurrent use. The server must advertise listChanged for what changes.
type Toolbox interface {
	// Tools returns the further tools of the caller who sent the request of ctx, by
	// name. The map and what it holds must not change afterwards, so several requests
	// may get the same one. None may have the name of a registered tool. Only
	// tools/list, and tools/call of a name that is not registered, ask for them. Tools
	// returns within seconds, and an error goes to the log only.
	Tools(ctx context.Context) (map[string]server.ServerTool, error)

	// Changes returns at once, and touches no store before it returns. Until ctx ends,
	// the channel has the method of a notice whenever a list may have changed:
	// [mcp.MethodNotificationToolsListChanged] or
	// [mcp.MethodNotificationResourcesListChanged]. It has every change that this
	// process makes from the call on, and soon those of other processes. A method may
	// stand for several changes, or for none. When ctx has ended, the channel is closed
	// as soon as nothing runs on its behalf.
	//
	// A transport calls Changes when a first client can be told, and ends ctx when the
	// last such client has gone. So what must be polled needs polling only until then.
	// The transport reads the channel without delay. It tells all its clients, because
	// a notice has no contents: a client that lists again sees its own tools.
	//
	// A call that changes a list must call [progress.HoldNotices] before the change.
	Changes(ctx context.Context) <-chan string

	// Refresh looks for what other processes have changed. Changes says all that they
	// change after Refresh has returned. A transport calls it before it tells a client
	// that changes are told. It returns within seconds, and errors are its own matter.
	Refresh(ctx context.Context)
}
