package tools_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"log/slog"
	"net/http"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/anything-mcp/anything-mcp/functions"
	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/jobs/sqlite"
	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/notte/sandbox"
	"github.com/anything-mcp/anything-mcp/progress"
	"github.com/anything-mcp/anything-mcp/tools"
)

var update = flag.Bool("update", false, "rewrite the snapshots in testdata")

const (
	key  = "sk-test-3141592653589793"
	keep = 90 * 24 * time.Hour // how long jobs are kept
)

// The advice of the tests' servers.
const (
	noKeyAdvice = "Set NOTTE_API_KEY."
	limitAdvice = "Raise the limit."
)

func advice(err error) string {
	var limit *jobs.LimitError
	switch {
	case errors.Is(err, notte.ErrNoKey):
		return noKeyAdvice
	case errors.As(err, &limit):
		return limitAdvice
	}
	return ""
}

// fixture is a server with the tools and the sandbox.
type fixture struct {
	t         testing.TB
	notte     *sandbox.Server
	http      *http.Client // reaches notte
	store     *sqlite.Store
	jobs      *jobs.Manager
	functions *functions.Catalogue
	server    tools.Server
	log       *logBuffer
	output    map[string]*jsonschema.Resolved // the output schemas, by tool
}

// inBubble runs a test of the tools on synthetic time, and looks for secrets in
// the log.
func inBubble(t *testing.T, test func(*testing.T, *fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, key)
		test(t, f)
		if strings.Contains(f.log.String(), key) || strings.Contains(f.log.String(), "s3cret") {
			t.Errorf("a secret is in the log:\n%s", f.log)
		}
	})
}

func newFixture(t *testing.T, key notte.APIKey) *fixture {
	t.Helper()
	f := &fixture{t: t, notte: sandbox.New(), log: new(logBuffer)}
	t.Cleanup(f.notte.Close)
	f.http = f.notte.Client()
	f.store = newStore(t)
	f.jobs = f.newManager(f.store)
	f.functions = functions.New(f.store, f.logger())
	f.serve(tools.Config{Account: always(f.client(key))})
	return f
}

// always returns an account for every call.
func always(client *notte.Client) func(context.Context) (*notte.Client, error) {
	return func(context.Context) (*notte.Client, error) { return client, nil }
}

func (f *fixture) client(key notte.APIKey) *notte.Client {
	f.t.Helper()
	client, err := notte.NewClient(notte.Config{
		Key: key, APIURL: "http://api.test", AnythingURL: "http://anything.test", HTTPClient: f.http,
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return client
}

func (f *fixture) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// logBuffer is a buffer for several loggers, each of which has its own lock.
type logBuffer struct {
	mu     sync.Mutex // guards buffer
	buffer bytes.Buffer
}

func (b *logBuffer) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(line)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

func (b *logBuffer) Reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.buffer.Reset()
}

// newStore returns an empty store on disk.
func newStore(t *testing.T) *sqlite.Store {
	store := sqlite.New(t.TempDir())
	t.Cleanup(func() { store.Close() })
	return store
}

// newManager returns a Manager that allows two builds at once and that the test's
// end stops.
func (f *fixture) newManager(store jobs.Store) *jobs.Manager {
	m := jobs.NewManager(store, jobs.Options{Logger: f.logger(), MaxBuilds: 2, DetachedTimeout: time.Hour})
	f.t.Cleanup(func() { m.Stop(context.Background()) })
	return m
}

// serve makes the fixture call a server of cfg.
func (f *fixture) serve(cfg tools.Config) {
	f.t.Helper()
	cfg.Functions = f.functions
	cfg.Jobs, cfg.Version, cfg.Logger, cfg.Keep, cfg.Advice = f.jobs, "test", f.logger(), keep, advice
	f.server = tools.NewServer(cfg)
	f.output = make(map[string]*jsonschema.Resolved)
	f.list()
}

// listedTool is a tool as clients see it.
type listedTool struct {
	Name, Title, Description string
	InputSchema              object
	OutputSchema             *jsonschema.Schema
	Annotations              object
}

// list lists the tools, and keeps their output schemas for calls.
func (f *fixture) list() []listedTool {
	f.t.Helper()
	var list struct{ Tools []listedTool }
	f.request(f.t.Context(), "tools/list", modern(showsApps), &list) // all tools
	for _, tool := range list.Tools {
		resolved, err := tool.OutputSchema.Resolve(nil)
		if err != nil {
			f.t.Fatal(err)
		}
		f.output[tool.Name] = resolved
	}
	return list.Tools
}

// pinSession is a client's session with the pinned tools, as the transports give it to
// mcp-go.
type pinSession struct {
	f   *fixture
	ctx context.Context
}

func (s pinSession) SessionID() string                                   { return "" }
func (s pinSession) NotificationChannel() chan<- mcp.JSONRPCNotification { return nil }
func (s pinSession) Initialize()                                         {}
func (s pinSession) Initialized() bool                                   { return true }
func (s pinSession) SetSessionTools(map[string]server.ServerTool)        {}

func (s pinSession) GetSessionTools() map[string]server.ServerTool {
	pinned, err := s.f.server.Toolbox.Tools(s.ctx)
	if err != nil {
		s.f.t.Error(err)
	}
	return pinned
}

type object = map[string]any

// request sends a request as a transport does, which lets the call wait after
// its handler has returned, and decodes the result into result.
func (f *fixture) request(ctx context.Context, method string, params object, result any) {
	f.t.Helper()
	message, err := json.Marshal(object{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	if err != nil {
		f.t.Fatal(err)
	}
	ctx, deferral := progress.WithDeferral(ctx)
	inner := ctx
	name, _ := params["name"].(string)
	if f.server.Toolbox != nil && (method == "tools/list" || method == "tools/call" && f.server.MCP.GetTool(name) == nil) {
		inner = f.server.MCP.WithContext(ctx, pinSession{f, ctx})
	}
	resp := f.server.MCP.HandleMessage(inner, message)
	deferral.Run(ctx)
	raw, err := json.Marshal(resp)
	if err != nil {
		f.t.Fatal(err)
	}
	if strings.Contains(string(raw), key) {
		f.t.Errorf("the key is in a result: %s", raw)
	}
	answer := struct {
		Result any
		Error  json.RawMessage
	}{Result: result}
	if err := json.Unmarshal(raw, &answer); err != nil || answer.Error != nil {
		f.t.Fatalf("%s(%v) = %s (%v)", method, params, raw, err)
	}
}

// result is a tool's result as a client sees it.
type result struct {
	object     // the structured content
	isError    bool
	text       string
	resultType string         // of a modern call
	meta       map[string]any // likewise
}

func (r result) str(field string) string { s, _ := r.object[field].(string); return s }

func (f *fixture) call(tool string, args any) result {
	f.t.Helper()
	return f.callContext(f.t.Context(), tool, args)
}

func (f *fixture) callContext(ctx context.Context, tool string, args any) result {
	f.t.Helper()
	return f.callParams(ctx, tool, object{"name": tool, "arguments": args})
}

// callModern calls a tool as a client of 2026-07-28 with these capabilities does.
func (f *fixture) callModern(caps object, tool string, args object) result {
	f.t.Helper()
	params := modern(caps)
	params["name"], params["arguments"] = tool, args
	return f.callParams(f.t.Context(), tool, params)
}

// modern returns the params with which a client of 2026-07-28 sends its capabilities.
func modern(caps object) object {
	return object{"_meta": object{
		"io.modelcontextprotocol/protocolVersion":    "2026-07-28",
		"io.modelcontextprotocol/clientCapabilities": caps,
	}}
}

// callAs calls a tool as a client of 2026-07-28 with this name does.
func (f *fixture) callAs(client, tool string, args object) result {
	f.t.Helper()
	return f.callParams(f.t.Context(), tool, object{"name": tool, "arguments": args, "_meta": object{
		"io.modelcontextprotocol/protocolVersion":    "2026-07-28",
		"io.modelcontextprotocol/clientCapabilities": object{},
		"io.modelcontextprotocol/clientInfo":         object{"name": client, "version": "1"},
	}})
}

func (f *fixture) callParams(ctx context.Context, tool string, params object) result {
	f.t.Helper()
	var got struct {
		Meta              map[string]any `json:"_meta"`
		ResultType        string
		Content           []struct{ Type, Text, URI string }
		StructuredContent object
		IsError           bool
	}
	f.request(ctx, "tools/call", params, &got)
	r := result{object: got.StructuredContent, isError: got.IsError, resultType: got.ResultType, meta: got.Meta}
	if r.resultType == "task" {
		return r
	}
	links, linked := 0, r.str("result_uri") != ""
	if linked {
		links = 1
	}
	if len(got.Content) != 1+links || linked && (got.Content[1].Type != "resource_link" || got.Content[1].URI != r.str("result_uri")) {
		f.t.Fatalf("%s: the contents are %.300v, want a text, and a link if there is a result_uri", tool, got.Content)
	}
	r.text = got.Content[0].Text
	if r.object == nil {
		return r
	}
	if err := f.output[tool].Validate(r.object); err != nil {
		f.t.Errorf("%s returns what its schema does not allow: %v", tool, err)
	}
	var fromText object
	if err := json.Unmarshal([]byte(r.text), &fromText); err != nil || !reflect.DeepEqual(fromText, r.object) {
		f.t.Errorf("text and structured content differ (%v):\n%s\n%v", err, r.text, r.object)
	}
	return r
}

func (f *fixture) wants(r result, isError bool, fields object) {
	f.t.Helper()
	if r.isError != isError {
		f.t.Errorf("isError = %v, want %v: %s", r.isError, isError, r.text)
	}
	wants(f.t, r.object, fields)
}

// absent is a field that must be left out.
var absent = new(int)

func wants(t testing.TB, got, want object) {
	t.Helper()
	for name, w := range want {
		g, ok := got[name]
		switch {
		case w == absent && ok:
			t.Errorf("%s = %v, want it left out", name, g)
		case w != absent && (!ok || !reflect.DeepEqual(g, w)):
			t.Errorf("%s = %#v, want %#v in %v", name, g, w, got)
		}
	}
}

func event(typ string, fields ...any) sandbox.Step {
	o := object{"type": typ}
	for i := 0; i < len(fields); i += 2 {
		o[fields[i].(string)] = fields[i+1]
	}
	return sandbox.Event(o)
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s has changed: what models read is part of the contract. If the change is meant, run the test with -update.\ngot:\n%s", name, got)
	}
}
