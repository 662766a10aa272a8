package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/anything-mcp/anything-mcp/transport"
)

type stdioCommand struct {
	MaxCalls int      `default:"1000" placeholder:"N" help:"Calls at once; more are refused."`
	Grace    duration `default:"5s" placeholder:"TIME" help:"When stdin closes: how long calls under way may still take; 0 to 1m."`

	serving  `embed:""`
	keeping  `embed:""`
	spending `embed:""`
}

// Help is the details of the command's help.
func (stdioCommand) Help() string {
	return `A host starts it from its configuration:

  {
    "mcpServers": {
      "anything": {
        "command": "anything-mcp",
        "env": {"NOTTE_API_KEY": "…"}
      }
    }
  }

Without a key it starts all the same, and its tools say how to set one. stdout
carries JSON-RPC and nothing else; logs go to stderr.`
}

// Run serves until stdin closes or a signal comes.
func (c *stdioCommand) Run(ctx context.Context, p *program) error {
	if err := c.serving.check("stdio", c.MaxCalls); err != nil {
		return err
	}
	if err := c.Grace.within("--grace", 0, time.Minute); err != nil {
		return usageError{err, "stdio"}
	}
	r, err := p.newRig(c.keeping, c.spending)
	if err != nil {
		return err
	}
	defer r.close()
	if isTerminal(p.env.Stdin) {
		fmt.Fprintf(p.screen, `This is an MCP server: it waits here for JSON-RPC from an MCP host (Ctrl-C ends it).
To build something from this terminal instead, try:
  %s build --sandbox "fetch the top 3 hacker news posts"
`, p.name)
	}
	r.welcome("serving MCP on stdin and stdout")
	srv, tasks := r.server(c.serving)
	return transport.ServeStdio(ctx, srv, p.env.Stdin, p.env.Stdout, transport.StdioOptions{
		Tasks:    tasks,
		Logger:   r.log,
		MaxCalls: c.MaxCalls,
		Grace:    max(time.Duration(c.Grace), 1), // to transport 0 means the default
		OnStop:   r.stopJobs,
	})
}
