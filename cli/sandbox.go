package cli

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
)

type sandboxCommand struct {
	Addr string `default:"127.0.0.1:8809" placeholder:"HOST:PORT" help:"Where to listen; loopback only."`
}

// Help is the details of the command's help.
func (sandboxCommand) Help() string {
	return `It speaks both of Notte's APIs, takes any key, and answers with made-up data.

  anything-mcp sandbox
  curl -N http://127.0.0.1:8809/api/anything/start \
    -H 'Authorization: Bearer any-key' -H 'Content-Type: application/json' \
    -d '{"query": "fetch the top 3 hacker news posts"}'

A word in the query changes how a build ends: [sandbox:error],
[sandbox:timeout], [sandbox:cancelled], [sandbox:cut], [sandbox:nofunction],
[sandbox:broken], [sandbox:unavailable]; [sandbox:slow] makes it take minutes.

--sandbox-speed 10, here and with --sandbox, is ten times as fast as the usual
six seconds a build; 0 is without any pause.`
}

// Run serves until a signal comes.
func (c *sandboxCommand) Run(ctx context.Context, p *program) error {
	if err := p.opts.check(); err != nil {
		return usageError{err: err}
	}
	host, _, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return misused("sandbox", "--addr %q is not a host and a port: write it like 127.0.0.1:8809", c.Addr)
	}
	if ip, err := netip.ParseAddr(host); !strings.EqualFold(host, "localhost") && (err != nil || !ip.IsLoopback()) {
		return misused("sandbox", "--addr %s would let others in, and the sandbox lets in whoever comes: use 127.0.0.1", c.Addr)
	}
	ln, err := listen(ctx, c.Addr)
	if err != nil {
		return err
	}
	h := newSandboxHost(ln, p.opts.SandboxSpeed, p.logger())
	defer h.close()
	fmt.Fprintf(p.env.Stdout, `The sandbox of Notte's APIs is at %[1]s.
Nothing there is real, and nothing is billed. Other clients reach it with:

export NOTTE_API_URL=%[1]s
export NOTTE_ANYTHING_URL=%[1]s
export NOTTE_API_KEY=any-key

Ctrl-C ends it, and its functions with it.
`, h.url)
	<-ctx.Done()
	return nil
}
