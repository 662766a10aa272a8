package tools

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/anything-mcp/anything-mcp/text"
)

// prompt is a message that a user can send with one argument. Hosts list prompts as
// commands.
type prompt struct {
	name, title, description string
	argument, describing     string
	write                    func(s *service, ctx context.Context, argument string) (string, error)
}

var prompts = []prompt{
	{
		"automate", "Automate a task", "Finds a function that does a task on the web, or has one built",
		"task", "What to do or fetch, on which site", (*service).writeAutomate,
	},
	{
		"rerun", "Run a function again", "Runs one of your functions again, with new variables if you like",
		"function", "Its name or ID", (*service).writeRerun,
	},
	{
		"repair", "Repair a function", "Finds out why a function fails, and has Notte's agent repair it",
		"function", "Its name or ID", (*service).writeRepair,
	},
}

// addPrompts registers the prompts.
func (s *service) addPrompts() {
	for _, p := range prompts {
		described := mcp.NewPrompt(p.name, mcp.WithPromptDescription(p.description),
			mcp.WithArgument(p.argument, mcp.ArgumentDescription(p.describing), mcp.RequiredArgument()))
		described.Title = p.title
		s.mcp.AddPrompt(described, func(ctx context.Context, req mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
			message, err := s.writePrompt(ctx, p, req.Params.Arguments[p.argument])
			if err != nil {
				return nil, errors.New(describeError(err))
			}
			return mcp.NewGetPromptResult(p.description, []mcp.PromptMessage{
				mcp.NewPromptMessage(mcp.RoleUser, mcp.NewTextContent(message)),
			}), nil
		})
	}
}

// writePrompt returns the message of a prompt. Its errors are about the argument alone:
// what cannot be looked up is left out of the message.
func (s *service) writePrompt(ctx context.Context, p prompt, argument string) (string, error) {
	argument = strings.TrimSpace(text.Lines(argument))
	switch n := utf8.RuneCountInString(argument); {
	case n == 0:
		return "", &argError{why: fmt.Sprintf("The prompt %s needs the argument %s: %s", p.name, p.argument, lowerFirst(p.describing))}
	case n > MaxQuery:
		return "", &argError{why: fmt.Sprintf("The argument %s of the prompt %s may have %s characters: it has %s", p.argument, p.name, formatCount(MaxQuery), formatCount(n))}
	}
	return p.write(s, ctx, argument)
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

func (s *service) writeAutomate(_ context.Context, task string) (string, error) {
	return "Do this on the web for me:\n\n" + task + "\n\n" +
		"Call find_functions first, with words of the task and its site. If a function does the task, run it with run_function. " +
		"If none does, tell me what you would have built and that a build takes minutes and costs money, and call build_automation when I agree. " +
		"Then tell me the result and what it cost.", nil
}

func (s *service) writeRerun(ctx context.Context, function string) (string, error) {
	known, err := s.lookUp(ctx, function)
	if err != nil {
		return "", err
	}
	return "Run this function again for me, with run_function: the one with the function_id " + known.label() + ". " +
		"Take what varies from this chat. If a variable is required and not said here, ask me; last_variables are those of the last run. " +
		"Tell me the result in short.\n\n" + known.quote(), nil
}

func (s *service) writeRepair(ctx context.Context, function string) (string, error) {
	known, err := s.lookUp(ctx, function)
	if err != nil {
		return "", err
	}
	message := "Repair this function for me: the one with the function_id " + known.label() + ". "
	if known.LastFailure == nil {
		message += "No run of it is known here that failed, so ask me first what is wrong. "
	} else {
		message += "Say first why its last run failed, from last_failure and what the result should look like. "
	}
	message += "If the variables were wrong, say which are right, and repair nothing. "
	switch b := known.BuiltBy; {
	case known.HasThread:
		message += fmt.Sprintf("Otherwise tell me what you would have changed. When I agree, call build_automation with continue_build %q and a query that says what fails, with the error, and what is expected. It is billed, and keeps the function_id. ", b.BuildID)
	case b != nil:
		message += "Otherwise tell me what you would have built. The build that made it cannot be continued, so when I agree, call build_automation with built_by's query, what fails, with the error, and what is expected. It is billed, and makes a new function. "
	default:
		message += "Otherwise tell me what you would have built. Which build made it is not known here, so when I agree, call build_automation with what the function does, what fails, with the error, and what is expected. It is billed, and makes a new function. "
	}
	return message + "Then run it with run_function and check the result.\n\n" + known.quote(), nil
}
