package transport

import (
	"sync"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/anything-mcp/anything-mcp/text"
)

// listen answers subscriptions/listen. Before it returns, mcp-go sends one
// acknowledgement, and nothing else, through the session's channel.
func (d *dispatcher) listen(c *call, raw []byte) mcp.JSONRPCMessage {
	s := d.view(c)
	s.notes = make(chan mcp.JSONRPCNotification, 1)
	var forward sync.WaitGroup
	forward.Go(func() {
		for note := range s.notes {
			note.Params.Meta[mcp.MetaKeySubscriptionID] = c.id // with all its digits
			if line, err := text.JSON(note); err == nil {
				_ = c.notify(append(line, '\n'))
			}
		}
	})
	defer forward.Wait()
	defer close(s.notes)
	resp := d.ask(c.ctx, s, c.method, raw)
	if r, ok := resp.(mcp.JSONRPCResponse); ok {
		if result, ok := r.Result.(mcp.SubscriptionsListenResult); ok {
			result.EnsureResultMeta().SetSubscriptionID(c.id)
			r.Result = result
			return r
		}
	}
	return resp
}
