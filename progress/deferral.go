package progress

import "context"

// Deferral holds what a handler has left to do when it returns. A handler that
// waits for minutes would hold the stack of the MCP library below it; a deferred
// wait holds only its own. A Deferral is used by one goroutine.
type Deferral struct {
	work func(context.Context)
}

type deferralKey struct{}

// WithDeferral returns a context that carries a Deferral, for a transport to
// give to a handler. The transport must call Run once the handler has returned.
func WithDeferral(ctx context.Context) (context.Context, *Deferral) {
	d := new(Deferral)
	return context.WithValue(ctx, deferralKey{}, d), d
}

// Run does what the handler deferred, if anything. ctx is the call's.
func (d *Deferral) Run(ctx context.Context) {
	if work := d.work; work != nil {
		d.work = nil
		work(ctx)
	}
}

// Defer has the transport call work when the handler has returned, before the
// result is encoded: work may still fill in a result that the handler has
// returned a pointer to. Without a Deferral in ctx, Defer calls work at once. A
// handler may call it once.
func Defer(ctx context.Context, work func(context.Context)) {
	if d, ok := ctx.Value(deferralKey{}).(*Deferral); ok {
		d.work = work
		return
	}
	work(ctx)
}
