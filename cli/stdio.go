package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/anything-mcp/anything-mcp/transport"
)

// stdioFlags are the settings of the command stdio.
type stdioFlags struct {
	serverFlags
	grace time.Duration
}

func (p *program) stdioCommand() *cobra.Command {
	var flags stdioFlags
	cmd := &cobra.Command{
		Use:     "stdio",
		GroupID: serverGroup,
		Short:   "Serve MCP over stdin and stdout: what an MCP host starts",
		Long: `Serve MCP over stdin and stdout. An MCP host starts it from its configuration:

  {
    "mcpServers": {
      "anything": {
        "command": "anything-mcp",
        "env": {"NOTTE_API_KEY": "…"}
      }
    }
  }

Without a key it starts too, and its tools say how to set one. stdout carries
JSON-RPC only; logs go to stderr.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.serveStdio(cmd.Context(), flags) },
	}
	flags.add(cmd.Flags(), 1000)
	cmd.Flags().Var(timeValue(&flags.grace, 5*time.Second, 0, time.Minute), "grace", "How long running calls may still take after stdin has closed.")
	return cmd
}

// serveStdio serves until stdin closes or ctx ends.
func (p *program) serveStdio(ctx context.Context, flags stdioFlags) error {
	parentEnded := watchParent() // first, because the parent may end at any time
	a, err := p.newApp(flags.store, flags.limits)
	if err != nil {
		return err
	}
	defer a.Close()
	if isTerminal(p.env.Stdin) {
		fmt.Fprintf(p.screen, `This is an MCP server: it waits for JSON-RPC from an MCP host. Ctrl-C ends it.
To build something from this terminal instead, try:
  %s build --sandbox "fetch the top 3 hacker news posts"
`, p.name)
	}
	a.logReady("serving MCP on stdin and stdout")
	srv := a.server(flags.serverFlags, p.callerAccount(a))
	orphaned := make(chan struct{})
	defer inBackground(ctx, func(ctx context.Context) { a.closeWhenOrphaned(ctx, parentEnded, orphaned) })()
	err = transport.ServeStdio(ctx, srv.MCP, p.env.Stdin, p.env.Stdout, transport.StdioOptions{
		Tasks:    srv.tasks,
		Toolbox:  srv.Toolbox,
		Logger:   a.log,
		MaxCalls: flags.maxCalls,
		Gone:     orphaned,
		Grace:    max(flags.grace, 1), // to transport 0 means the default
		OnStop:   a.stopJobs,
	})
	a.log.Info("the server has stopped")
	if !errors.Is(err, transport.ErrNoMessage) {
		return err
	}
	if len(p.faults) > 0 { // nobody was told
		return usageErrorf("%w", errors.Join(p.faults...))
	}
	fmt.Fprintf(p.screen, "%s: stdin ended before an MCP message came. The host must keep stdin open, "+
		"which docker run does with -i. To serve without stdin, use %[1]s http.\n", p.name)
	return nil
}
