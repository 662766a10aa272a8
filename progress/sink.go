package progress

import "context"

// Sink carries the progress of one call to its client.
type Sink interface {
	// Send writes a progress update and returns when it is written. It returns
	// an error if the call has been answered or cancelled, or the client is
	// gone. One goroutine at a time may call it. Send waits for the client to
	// read; the transport must bound that.
	Send(ctx context.Context, u Update) error
}

type sinkKey struct{}

// WithSink returns a context that carries the sink of a call. Transports call
// it, and only for calls whose client gave a progress token.
func WithSink(ctx context.Context, s Sink) context.Context {
	return context.WithValue(ctx, sinkKey{}, s)
}

// SinkFrom returns the sink that ctx carries, or nil if the client asked for no
// progress.
func SinkFrom(ctx context.Context) Sink {
	s, _ := ctx.Value(sinkKey{}).(Sink)
	return s
}
