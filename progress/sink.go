package progress

import "context"

// Sink carries the progress of one call to its client.
type Sink interface {
	// Send returns when an update with this message is on the wire, or with the
	// reason why it is not: the call has been answered or cancelled, or the
	// client is gone. One goroutine at a time may call it. message is one line
	// of at most [MaxMessage] characters. Each update of a call counts one more
	// than the last. Send takes as long as the client takes to read, which the
	// transport must bound.
	Send(ctx context.Context, message string) error
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
