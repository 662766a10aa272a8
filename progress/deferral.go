package progress

import "context"

// Deferral holds work that a handler defers until it has returned. A handler that
// waits for minutes inside the MCP library keeps the library's stack of 32 KiB.
// Deferred work keeps only its own stack. One goroutine at a time may use a
// Deferral.
type Deferral struct {
	work func(context.Context)
}

type deferralKey struct{}

// WithDeferral returns a context that carries a new Deferral. A transport passes it
// to a handler, and must call Run after the handler has returned a result, with a
// context that carries the call's sink and no Deferral.
func WithDeferral(ctx context.Context) (context.Context, *Deferral) {
	d := new(Deferral)
	return context.WithValue(ctx, deferralKey{}, d), d
}

// Run does the work that the handler deferred, if any. ctx must end with the call.
func (d *Deferral) Run(ctx context.Context) {
	if work := d.work; work != nil {
		d.work = nil
		work(ctx)
	}
}

// Defer makes the transport call work after the handler has returned and before it
// encodes the result. work may overwrite all of the result that the handler
// returns a pointer to. It must use the context that it receives, because the MCP
// library's context has ended by then. A panic in work counts as a panic in the
// handler. work is not called if the handler fails. Without a Deferral in ctx,
// Defer calls work at once. A handler may call Defer once.
func Defer(ctx context.Context, work func(context.Context)) {
	if d, ok := ctx.Value(deferralKey{}).(*Deferral); ok {
		d.work = work
		return
	}
	work(ctx)
}
