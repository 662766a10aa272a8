package transport

import (
	"sync"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/anything-mcp/anything-mcp/text"
)

// session is mcp-go's view of a client while it handles one message. It does not
// keep what a legacy client sends with initialize, because no later handler needs
// it. It is not registered, so it gets no broadcasts.
type session struct {
	id    string
	notes chan mcp.JSONRPCNotification // nil except for subscriptions/listen: a send then fails at once
}

var _ server.ClientSession = (*session)(nil)

func (s *session) SessionID() string { return s.id }

func (s *session) NotificationChannel() chan<- mcp.JSONRPCNotification { return s.notes }

func (s *session) Initialize() {}

func (s *session) Initialized() bool { return true }

// listen answers subscriptions/listen. Before it returns, mcp-go sends one
// acknowledgement, and nothing else, through the session's channel.
func (d *dispatcher) listen(c *call, raw []byte) mcp.JSONRPCMessage {
	s := &session{id: c.key.session, notes: make(chan mcp.JSONRPCNotification, 1)}
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
