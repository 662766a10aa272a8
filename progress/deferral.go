package progress

import "context"

// Deferral holds the work that a handler has left to do when it returns. A
// handler that waits for minutes inside the MCP library would keep the library's
// stack, 32 KiB; deferred work keeps only its own. A Deferral is used by one
// goroutine at a time.
type Deferral struct {
	work func(context.Context)
}

type deferralKey struct{}

// WithDeferral returns a context that carries a new Deferral, for a transport to
// give to a handler. The transport must call Run once the handler has returned a
// result, with a context that carries the call's sink and no Deferral.
func WithDeferral(ctx context.Context) (context.Context, *Deferral) {
	d := new(Deferral)
	return context.WithValue(ctx, deferralKey{}, d), d
}

// Run does what the handler deferred, if anything. ctx ends with the call.
func (d *Deferral) Run(ctx context.Context) {
	if work := d.work; work != nil {
		d.work = nil
		work(ctx)
	}
}

// Defer has the transport call work when the handler has returned, before the
// result is encoded: work fills the result that the handler has returned a
// pointer to, and may overwrite all of it. The MCP library's context has ended
// by then, and its values are gone: work must use the context that it is given.
// A panic in work counts as one in the handler. work is not called if the
// handler fails. Without a Deferral in ctx, Defer calls work at once. A handler
// may call Defer once.
func Defer(ctx context.Context, work func(context.Context)) {
	if d, ok := ctx.Value(deferralKey{}).(*Deferral); ok {
		d.work = work
		return
	}
	work(ctx)
}
