package e2e_test

import (
	"fmt"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// service is the sandbox in the place of Notte. It speaks one of the contracts.
type service struct {
	*sandbox.Server
	v2    bool
	calls int // tool calls that were scripted

	made    sync.Map     // IDs of the functions that builds have made
	unnamed atomic.Int64 // functions of v1 without an ID of their own
}

var bothContracts = []sandbox.API{sandbox.V1, sandbox.V2}

// inBothContracts runs a test against a service of each contract, in parallel with
// other tests. With -short it leaves out v1.
func inBothContracts(t *testing.T, test func(t *testing.T, api *service, url string)) {
	t.Parallel()
	contracts := bothContracts
	if testing.Short() {
		contracts = contracts[1:]
	}
	inContracts(t, contracts, func(t *testing.T, api *service, url string) {
		t.Parallel()
		test(t, api, url)
	})
}

// oneByOne runs a test against a service of each contract, while no other test
// runs. It is for tests that measure time.
func oneByOne(t *testing.T, test func(t *testing.T, api *service, url string)) {
	inContracts(t, bothContracts, test)
}

func inContracts(t *testing.T, contracts []sandbox.API, test func(t *testing.T, api *service, url string)) {
	for _, contract := range contracts {
		t.Run(string(contract), func(t *testing.T) {
			api, url := newService(t, contract)
			test(t, api, url)
		})
	}
}

// newSandbox serves v2 on loopback until the test ends.
func newSandbox(t *testing.T) (api *service, url string) {
	t.Helper()
	return newService(t, sandbox.V2)
}

func newService(t *testing.T, contract sandbox.API) (api *service, url string) {
	t.Helper()
	api = &service{Server: sandbox.New(sandbox.WithSpeed(0), sandbox.WithKey(apiKey), sandbox.WithAPI(contract)), v2: contract == sandbox.V2}
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	t.Cleanup(api.Close) // runs first: it ends the streams that server.Close waits for
	return api, server.URL
}

// step is a step of a script: a [sandbox.Step], or a told.
type step any

// told is what a build tells, in the words of the service's contract.
type told func(*service) []sandbox.Step

// steps returns steps in the words of the service's contract.
func (s *service) steps(steps []step) (all []sandbox.Step) {
	for _, one := range steps {
		if tells, ok := one.(told); ok {
			all = append(all, tells(s)...)
		} else {
			all = append(all, one.(sandbox.Step))
		}
	}
	return all
}

// Script scripts the build of a query. A script that begins with what the build
// tells is a stream, which begins as the contract says.
func (s *service) Script(query string, steps ...step) {
	script := s.steps(steps)
	if _, ok := steps[0].(told); ok && s.v2 {
		script = append([]sandbox.Step{
			sandbox.Thread(fmt.Sprintf("%08x-0000-4000-8000-%012x", len(query), sum(query))),
			sandbox.Chunk("start"), sandbox.Chunk("text-start", "id", "t"), sandbox.Chunk("reasoning-start", "id", "r"),
		}, script...)
	}
	s.Server.Script(query, script...)
}

// sum returns a number that differs between queries.
func sum(query string) (n uint64) {
	for _, b := range []byte(query) {
		n = (n*131 + uint64(b)) & 0xffff_ffff_ffff
	}
	return n
}

// FaultNext is that of the sandbox.
func (s *service) FaultNext(n int, method, pattern string, steps ...step) {
	s.Server.FaultNext(n, method, pattern, s.steps(steps)...)
}

// say returns the event of v1 or the chunk of v2.
func say(v1 event, kind string, fields ...any) told {
	return func(s *service) []sandbox.Step {
		if s.v2 {
			return []sandbox.Step{sandbox.Chunk(kind, fields...)}
		}
		return []sandbox.Step{sandbox.Event(v1)}
	}
}

// event is one event of v1.
type event map[string]any

func statusEvent(status string) told {
	return say(event{"type": "status", "status": status}, "data-status", "data", event{"status": status}, "transient", true)
}

func textDelta(delta string) told {
	return say(event{"type": "text_delta", "delta": delta}, "text-delta", "id", "t", "delta", delta)
}

func thinkingDelta(delta string) told {
	return say(event{"type": "thinking_delta", "delta": delta}, "reasoning-delta", "id", "r", "delta", delta)
}

func viewer(link string) told {
	return say(event{"type": "notte_session_data", "viewer_url": link}, "data-session", "data", event{"viewer_url": link}, "transient", true)
}

func toolStart(name string) told {
	return func(s *service) []sandbox.Step {
		s.calls++
		return say(event{"type": "tool_start", "name": name},
			"tool-input-start", "toolCallId", fmt.Sprint("call-", s.calls), "toolName", name, "dynamic", true)(s)
	}
}

// uploaded makes a function, and tells it with these further fields. Without an ID
// each build makes another.
func uploaded(id, name string, more event) told { return tellFunction("", id, name, more) }

// tellFunction makes a function and tells it: in v1 as an event of this type.
func tellFunction(kind, id, name string, more event) told {
	return func(s *service) []sandbox.Step {
		return []sandbox.Step{sandbox.Func(func(st *sandbox.Stream) error {
			made := sandbox.Function{ID: id, Name: name, Source: "anything"}
			if _, again := s.made.LoadOrStore(id, true); s.v2 && (id == "" || !again) {
				made.ID = s.AddFunction(made)
			} else if id == "" {
				made.ID = fmt.Sprint("fn-made-", s.unnamed.Add(1))
			}
			fields := event{"function_id": made.ID}
			if name != "" {
				fields["function_name"] = name
			}
			for name, value := range more {
				fields[name] = value
			}
			if s.v2 {
				return st.Event(event{"type": "data-function", "data": fields})
			}
			fields["type"] = "function_uploaded"
			if kind != "" {
				fields["type"] = kind
			}
			return st.Event(fields)
		})}
	}
}

// done ends a build with a function, for 0.43 dollars. Without an ID each build
// makes another.
func done(functionID string) told { return doneFor(functionID, 0.43) }

func doneFor(functionID string, cost float64) told {
	return func(s *service) []sandbox.Step {
		steps := tellFunction("done", functionID, "", event{"total_cost_usd": cost})(s)
		if s.v2 {
			steps = tellFunction("", functionID, "", nil)(s)
			steps = append(steps, sandbox.Chunk("finish", "finishReason", "stop", "messageMetadata", event{"total_cost_usd": cost}), sandbox.Done())
		}
		return steps
	}
}

// failed ends a build with an error.
func failed(cause, detail string) told {
	return func(s *service) []sandbox.Step {
		if s.v2 {
			return []sandbox.Step{
				sandbox.Chunk("error", "errorText", cause+": "+detail), sandbox.Chunk("finish", "finishReason", "error"), sandbox.Done(),
			}
		}
		return []sandbox.Step{sandbox.Event(event{"type": "error", "error": cause, "detail": detail})}
	}
}

// timedOut ends a build because it took too long.
func timedOut(reason string) told {
	return func(s *service) []sandbox.Step {
		if s.v2 {
			return []sandbox.Step{sandbox.Chunk("abort", "reason", "timeout: "+reason), sandbox.Done()}
		}
		return []sandbox.Step{sandbox.Event(event{"type": "timeout", "reason": reason})}
	}
}

// burst tells the same n times in one write.
func burst(n int, what told) told {
	return func(s *service) []sandbox.Step { return []sandbox.Step{sandbox.Batch(sandbox.Repeat(n, what(s)...))} }
}

// cutAfterFunction returns how a build ends whose stream breaks after it has told
// its function: in v2 the function can be confirmed, and nothing else is missing.
func (s *service) cutAfterFunction() (status string, isError bool) {
	if s.v2 {
		return "done", false
	}
	return "interrupted", true
}

// leftBehind returns the status of a build whose process stops: in v2 Notte goes
// on, and so does the next process.
func (s *service) leftBehind() string {
	if s.v2 {
		return "running"
	}
	return "interrupted"
}
