package transport

import (
	"context"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/anything-mcp/anything-mcp/text"
)

// Bounds of the open subscriptions, which do not count as calls.
const (
	maxListensStdio = 64
	maxListensHTTP  = 1000
)

// listen answers subscriptions/listen. It tells the client which of the lists that it
// asked for have changed, until the client leaves or the server stops.
func (d *dispatcher) listen(c *call, raw []byte) mcp.JSONRPCMessage {
	ack, allowed, resp := d.acknowledge(c, raw)
	if ack == nil {
		return resp
	}
	if allowed == 0 {
		_ = c.notify(ack) // an error means that the client is gone
		return resp
	}
	f := d.hub.follow("", allowed)
	defer d.hub.leave(f)
	d.hub.refresh(c.ctx)
	if c.notify(ack) == nil {
		d.hub.tell(c.ctx, f, func(method string) error { return c.notify(encodeNotice(method, c.id)) })
	}
	return resp
}

// acknowledge returns the acknowledgement of a subscription, what it allows, and the
// result with which the subscription ends. If the request is refused, ack is nil and
// resp is the error.
func (d *dispatcher) acknowledge(c *call, raw []byte) (ack []byte, allowed lists, resp mcp.JSONRPCMessage) {
	s := d.view(c)
	s.notes = make(chan mcp.JSONRPCNotification, 1)
	// mcp-go keeps a subscription open until its context ends. This one is kept open by
	// listen, so mcp-go gets a context that has ended and returns the result at once.
	ctx, end := context.WithCancel(c.ctx)
	end()
	resp = d.askApart(ctx, s, c.method, raw)
	r, _ := resp.(mcp.JSONRPCResponse)
	result, ok := r.Result.(mcp.SubscriptionsListenResult)
	if !ok || len(s.notes) == 0 {
		return nil, 0, resp
	}
	result.EnsureResultMeta().SetSubscriptionID(c.id) // with all its digits
	note := <-s.notes
	note.Params.Meta[mcp.MetaKeySubscriptionID] = c.id
	filter, _ := note.Params.AdditionalFields["notifications"].(mcp.SubscriptionFilter)
	if filter.ToolsListChanged {
		allowed |= toolList
	}
	if filter.ResourcesListChanged {
		allowed |= resourceList
	}
	line, err := text.JSON(note)
	if err != nil {
		return nil, 0, internalFailure()
	}
	r.Result = result
	return append(line, '\n'), allowed, r
}
