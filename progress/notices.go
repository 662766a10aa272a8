package progress

import "context"

type holdKey struct{}

// WithNotices returns a context that carries hold, for HoldNotices. Transports call
// it.
func WithNotices(ctx context.Context, hold func()) context.Context {
	return context.WithValue(ctx, holdKey{}, hold)
}

// HoldNotices keeps the notices that lists have changed from all clients of the
// transport until the call of ctx is answered. The handler of a call that changes a
// list calls it before the change, so that no client learns of the change before the
// answer. It must be the handler itself and not what it has deferred.
func HoldNotices(ctx context.Context) {
	if hold, ok := ctx.Value(holdKey{}).(func()); ok {
		hold()
	}
}
