package cli

import (
	"errors"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/tools"
	"github.com/anything-mcp/anything-mcp/transport"
)

// advice returns a sentence about what the user can set to avoid an error, or "".
func advice(err error) string {
	_, tooMany := errors.AsType[*tools.TooManyItemsError](err)
	limit, overLimit := errors.AsType[*jobs.LimitError](err)
	switch {
	case errors.Is(err, notte.ErrNoKey):
		return "The user can get one at https://console.notte.cc and keep it with the command anything-mcp login, or set it as " + keyVariable +
			" in the environment of this MCP server, or start the server with --sandbox to try it without a key."
	case errors.Is(err, transport.ErrToken):
		return "Set the token in " + tokenVariable + "."
	case overLimit && limit.Limits.MaxRunning > 0 && limit.Running >= limit.Limits.MaxRunning:
		return raise("max-concurrent-builds")
	case tooMany:
		return raise("max-batch")
	case overLimit:
		return raise("daily-budget")
	}
	return ""
}

func raise(flag string) string {
	return "The user can raise the limit with --" + flag + " or " + variable(flag) + "."
}
