package progress

import "context"

// Update is one MCP progress notification: a value that rises by one for each
// update of a call, and a line of text of at most [MaxMessage] characters.
type Update struct {
	Progress int64
	Message  string
}

// Sink carries the updates of one call to its client.
type Sink interface {
	// Send returns when the update is on the wire, or with the reason why it
	// is not: the call has been answered or cancelled, or the client is gone.
	// It is called by one goroutine at a time, with Progress strictly rising.
	Send(ctx context.Context, u Update) error
}

type sinkKey struct{}

// WithSink returns a context that carries the sink of a call. Transports call
// it, and only for calls whose client gave a progress token.
func WithSink(ctx context.Context, s Sink) context.Context {
	return context.WithValue(ctx, sinkKey{}, s)
}

// SinkFrom returns the sink that ctx carries, or nil: the client asked for no
// progress.
func SinkFrom(ctx context.Context) Sink {
	s, _ := ctx.Value(sinkKey{}).(Sink)
	return s
}
