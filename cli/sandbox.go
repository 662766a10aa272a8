package cli

import (
	"context"
	"fmt"
	"net"

	"github.com/spf13/cobra"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

func (p *program) sandboxCommand() *cobra.Command {
	var addr, dir string
	cmd := &cobra.Command{
		Use:     "sandbox",
		GroupID: serverGroup,
		Short:   "Serve the sandbox alone, for other clients of Notte's APIs",
		Long: `Serve a stand-in for both of Notte's APIs. It takes any key and answers with
made-up data. It has six functions from the start, one of which fails.

A word in the query changes how a build ends: [sandbox:error],
[sandbox:timeout], [sandbox:cancelled], [sandbox:cut], [sandbox:nofunction],
[sandbox:broken], [sandbox:unavailable]; [sandbox:slow] makes it take minutes.

It speaks v2 of the Anything API; --sandbox-api v1 makes it speak the one before,
here and with --sandbox.

A build takes six seconds. With --sandbox-speed 10, here and with --sandbox, it
is ten times as fast; with 0 there are no pauses.`,
		Example: `  anything-mcp sandbox
  curl -N http://127.0.0.1:8809/api/anything/start \
    -H 'Authorization: Bearer any-key' -H 'Content-Type: application/json' \
    -d '{"query": "fetch the top 3 hacker news posts"}'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.serveSandbox(cmd.Context(), addr, dir) },
	}
	cmd.Flags().StringVar(&addr, "addr", "127.0.0.1:8809", "Listen on `HOST:PORT`; loopback only.")
	addStateDir(cmd.Flags(), &dir, "its functions, which --sandbox has too,")
	return cmd
}

// serveSandbox serves until ctx ends.
func (p *program) serveSandbox(ctx context.Context, addr, stateDir string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return usageErrorf("--addr %q is not a host and a port: write it like 127.0.0.1:8809", addr)
	}
	if !isLoopback(host) {
		return usageErrorf("--addr %s would let other machines in, and the sandbox checks no keys: use 127.0.0.1", addr)
	}
	dir, err := p.keptIn(stateDir)
	if err != nil {
		return usageErrorf("%w", err)
	}
	l, err := sandbox.Listen(addr, p.sandboxOptions(dir)...)
	if err != nil {
		return listenError(addr, err)
	}
	defer l.Close()
	fate := "its functions are kept in " + dir
	if dir == "" {
		fate = "its functions end with it"
	}
	fmt.Fprintf(p.env.Stdout, `The sandbox of Notte's APIs is at %[1]s.
Nothing there is real, and nothing is billed. Other clients reach it with:

export NOTTE_API_URL=%[1]s
export NOTTE_ANYTHING_URL=%[1]s
export NOTTE_API_KEY=any-key

Ctrl-C ends it; %[2]s.
`, l.URL, fate)
	<-ctx.Done()
	return l.FileError()
}
