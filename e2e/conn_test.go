package e2e_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

// era is the protocol version of a client.
type era string

// legacy is the last version with a handshake. modern is the first without.
const (
	legacy era = "2025-11-25"
	modern era = "2026-07-28"
)

// conn is a client's connection to a server, over either transport.
type conn struct {
	t   *testing.T
	era era
	wire
	lastID     int
	noProgress bool   // requests ask for no progress
	name       string // added to the client's name, in modern requests
	caps       map[string]any
}

// wire sends messages over one of the transports. journal returns the journal in
// which the answer to a request appears: that of stdout, or of one HTTP response.
type wire interface {
	send(id int, method string, message json.RawMessage)
	journal(id int) *journal
	cancel(id int)
}

// request sends a request that asks for progress, and returns its ID, which is
// also its progress token.
func (c *conn) request(method string, params map[string]any) (id int) {
	c.t.Helper()
	c.lastID++
	meta := map[string]any{}
	if !c.noProgress {
		meta["progressToken"] = c.lastID
	}
	if c.era >= modern {
		meta["io.modelcontextprotocol/protocolVersion"] = c.era
		meta["io.modelcontextprotocol/clientCapabilities"] = c.capabilities()
		meta["io.modelcontextprotocol/clientInfo"] = map[string]any{"name": "e2e" + c.name, "version": "1"}
	}
	all := map[string]any{"_meta": meta}
	for name, value := range params {
		all[name] = value
	}
	message, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": c.lastID, "method": method, "params": all})
	if err != nil {
		c.t.Fatal(err)
	}
	c.send(c.lastID, method, message)
	return c.lastID
}

func (c *conn) capabilities() map[string]any {
	if c.caps == nil {
		return map[string]any{}
	}
	return c.caps
}

type args map[string]any

// call sends a tools/call and returns its ID.
func (c *conn) call(tool string, arguments args) (id int) {
	c.t.Helper()
	return c.request("tools/call", map[string]any{"name": tool, "arguments": arguments})
}

// build calls build_automation for a query.
func (c *conn) build(query string) (id int) {
	c.t.Helper()
	return c.call("build_automation", args{"query": query})
}

// answer waits for the response to a request.
func (c *conn) answer(id int) message {
	c.t.Helper()
	return c.journal(id).await(c.t, fmt.Sprintf("the answer to request %d", id), func(_ string, m message) bool {
		return m.answers(id)
	})
}

// outcome waits for the result of a call.
func (c *conn) outcome(id int) outcome {
	c.t.Helper()
	return c.answer(id).outcome(c.t)
}

// until asks until the answer is as it should be, and returns that answer. It
// fails the test when it is not so within limit.
func (c *conn) until(limit time.Duration, what string, ask func() outcome, match func(outcome) bool) outcome {
	c.t.Helper()
	deadline := time.After(limit)
	for {
		out := ask()
		if match(out) {
			return out
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-deadline:
			c.t.Fatalf("%s did not come within %s: %s", what, limit, out.text)
		}
	}
}

// progress waits for the n-th update of a call.
func (c *conn) progress(id, n int) message {
	c.t.Helper()
	return c.journal(id).await(c.t, fmt.Sprintf("update %d of call %d", n, id), func(_ string, m message) bool {
		return m.updates(id) && m.Params.Progress >= float64(n)
	})
}

// ping checks that the server answers.
func (c *conn) ping() {
	c.t.Helper()
	method := "ping"
	if c.era >= modern {
		method = "server/discover" // modern has no ping
	}
	if m := c.answer(c.request(method, nil)); m.Error != nil {
		c.t.Fatalf("%s was answered with %q", method, m.Error.Message)
	}
}

// handshake does the handshake of legacy versions.
func (c *conn) handshake() {
	c.t.Helper()
	if c.era >= modern {
		return
	}
	m := c.answer(c.request("initialize", map[string]any{
		"protocolVersion": c.era, "capabilities": c.capabilities(), "clientInfo": map[string]any{"name": "e2e", "version": "1"},
	}))
	var result struct{ ProtocolVersion era }
	if err := json.Unmarshal(m.Result, &result); err != nil || result.ProtocolVersion != c.era {
		c.t.Fatalf("initialize with %s was answered with %s", c.era, m.Result)
	}
	c.send(0, "notifications/initialized", json.RawMessage(`{"jsonrpc":"2.0","method":"notifications/initialized"}`))
}

// connect starts a server of either transport and connects to it.
func connect(t *testing.T, transport string, e era, url string, flags ...string) (*conn, *process) {
	t.Helper()
	if transport == "stdio" {
		h := newHost(t, url, flags...)
		return h.connect(e), h.process
	}
	s := newHTTPServer(t, url, nil, flags...)
	return s.connect(t, e), s.process
}

// forEachTransport runs a test over both transports in each of the eras, with a
// service of each contract. Each run has its own server process.
func forEachTransport(t *testing.T, eras []era, test func(t *testing.T, api *service, c *conn, p *process)) {
	t.Parallel()
	runForEachTransport(t, eras, inBothContracts, test)
}

// runForEachTransport is forEachTransport with the contracts run by run:
// inBothContracts or oneByOne.
func runForEachTransport(t *testing.T, eras []era, run func(*testing.T, func(*testing.T, *service, string)),
	test func(t *testing.T, api *service, c *conn, p *process),
) {
	for _, transport := range []string{"stdio", "http"} {
		for _, e := range eras {
			t.Run(transport+"/"+string(e), func(t *testing.T) {
				run(t, func(t *testing.T, api *service, url string) {
					c, p := connect(t, transport, e, url)
					test(t, api, c, p)
				})
			})
		}
	}
}

// bothEras is for tests of behavior that differs between the eras.
var bothEras = []era{legacy, modern}
