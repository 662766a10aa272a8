package tools_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/functions"
	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/jobs/sqlite"
	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/notte/sandbox"
	"github.com/anything-mcp/anything-mcp/tools"
)

// pinned returns the tools that are listed besides those of this server, by name.
func (f *fixture) pinned() map[string]listedTool {
	f.t.Helper()
	all := make(map[string]listedTool)
	for _, tool := range f.list() {
		if strings.Contains(tool.Description, "this function of the user's once") {
			all[tool.Name] = tool
		}
	}
	return all
}

// pin pins a function, and fails if that fails.
func (f *fixture) pin(args object) result {
	f.t.Helper()
	r := f.call("pin_function", args)
	if r.isError {
		f.t.Fatalf("pin_function(%v): %s", args, r.text)
	}
	return r
}

func TestPinFunction(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		id := f.notte.AddFunction(posts)
		r := f.pin(object{"function_id": id, "description": "Fetches the <b>top</b> posts"})
		wants(t, r.object, object{"pinned_as": "top_posts", "warnings": []any{"A run needs secrets at Notte: TOKEN, OTHER."}})
		tool, listed := f.pinned()["top_posts"]
		if !listed {
			t.Fatal("the pin is not listed")
		}
		shown := r.object["tool"].(object)
		wants(t, shown, object{"name": "top_posts", "title": "top-posts", "description": tool.Description, "inputSchema": tool.InputSchema,
			"annotations": object{"readOnlyHint": false, "idempotentHint": false, "openWorldHint": true}})
		if !strings.HasPrefix(tool.Description, "Fetches the top posts. Each call runs") {
			t.Errorf("description = %q", tool.Description)
		}
		wants(t, tool.InputSchema, object{"type": "object", "required": []any{"site"}})
		properties := tool.InputSchema["properties"].(object)
		wants(t, properties, object{"count": object{"type": "integer", "description": "Default 3."}, "site": object{"type": "string"}})
		if _, waits := properties["wait_seconds"]; !waits {
			t.Errorf("properties = %v", properties)
		}

		for _, call := range []struct {
			tool string
			args object
		}{
			{"top_posts", object{"site": "x", "count": "2", "wait_seconds": "10", "host_added": 1}},
			{"top_posts", object{"site": "x", "count": nil}},
			{"top_posts", object{"site": "x", "count": ""}},
			{"run_function", object{"function_id": "top_posts", "variables": object{"site": "x"}}},
		} {
			r := f.call(call.tool, call.args)
			f.wants(r, false, object{"ok": true, "function_id": id, "function_version": "1", "warnings": absent})
		}
		for _, call := range []struct {
			args object
			want string
		}{
			{object{}, `The variables do not fit the function "top_posts", which takes count: integer = 3, site: string: site is missing. Nothing was`},
			{object{"site": "x", "count": "many"}, `count must be a whole number and is "many". Nothing was`},
			{object{"sites": "x"}, `top_posts takes no argument "sites": write site if that is meant. The arguments are count, site, wait_seconds.`},
			{object{"site": "x", "wait_seconds": "soon"}, `wait_seconds must be a whole number of seconds from 0 to 3600: it is "soon". Nothing`},
		} {
			before := f.posted()
			if r := f.call("top_posts", call.args); !r.isError || !strings.Contains(r.text, call.want) || f.posted() != before {
				t.Errorf("%v: %s", call.args, r.text)
			}
		}
		wants(t, functionsOf(f.call("find_functions", object{"query": "posts"}))[0].(object), object{"pinned_as": "top_posts"})
		f.wants(f.call("get_function", object{"function_id": "top_posts"}), false, object{"function_id": id, "pinned_as": "top_posts", "changed_since_pin": absent})
		if r := f.call("top_posts", object{"site": "x", "wait_seconds": 0}); r.str("status") != "running" {
			t.Errorf("a call that does not wait: %s", r.text)
		}

		f.wants(f.call("pin_function", object{"function_id": "top_posts", "pinned": false}), false, object{"pinned_as": absent})
		if left := f.pinned(); len(left) != 0 {
			t.Errorf("after unpinning: %v", left)
		}
		r = f.call("pin_function", object{"function_id": id, "pinned": false})
		if !r.isError || !strings.Contains(r.text, "Nothing is pinned as") {
			t.Errorf("unpinned again: %s", r.text)
		}
	})
}

func TestPinFixed(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		id := f.notte.AddFunction(posts)
		f.pin(object{"function_id": id, "name": "mine", "fixed": `{"site":"x"}`})
		tool := f.pinned()["mine"]
		if _, shown := tool.InputSchema["properties"].(object)["site"]; shown || tool.InputSchema["required"] != nil {
			t.Errorf("the schema is %v", tool.InputSchema)
		}
		f.wants(f.call("mine", object{"count": 1}), false, object{"ok": true})
		if r := f.call("mine", object{"site": "y"}); !r.isError || !strings.Contains(r.text, `there is no variable "site"`) {
			t.Errorf("a fixed variable: %s", r.text)
		}
	})
}

// A pinned function that changes runs only if what was pinned still serves.
func TestPinnedFunctionChanges(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		built := f.call("build_automation", object{"query": "fetch the top posts from news.example.com"})
		id := built.str("function_id")
		f.pin(object{"function_id": id, "name": "news"})
		args := object{}
		if tool := f.pinned()["news"]; !strings.HasPrefix(tool.Description, `It was built for "fetch the top posts from news.example.com". Each`) {
			t.Errorf("description = %q", tool.Description)
		}
		f.notte.UpdateFunction(id, func(n *sandbox.Function) {
			n.Variables = append(n.Variables, sandbox.Variable{Name: "unit", Type: "str", Default: new("'m'")})
		})
		<-time.After(time.Minute)
		f.wants(f.call("news", args), false, object{"ok": true, "function_version": "2", "warnings": []any{
			"The function was pinned in version 1 and is now version 2, which takes the same variables."}})
		f.notte.UpdateFunction(id, func(n *sandbox.Function) {
			n.Variables = append(n.Variables, sandbox.Variable{Name: "region", Type: "str"})
		})
		<-time.After(time.Minute)
		before := f.posted()
		for _, r := range []result{f.call("news", args), f.call("run_function", object{"function_id": "news"})} {
			if !r.isError || !strings.Contains(r.text, "The function behind news has changed since it was pinned: it now needs region: string. It takes ") ||
				!strings.HasSuffix(r.text, ". If the user agrees, pin function_id "+id+" again to accept that; run_function with it runs the function without the pin. Nothing was started or changed.") {
				t.Errorf("a function that has changed: %s", r.text)
			}
		}
		if f.posted() != before || len(f.pinned()) != 1 {
			t.Error("something was started, or the pin is not listed")
		}
		f.wants(f.call("get_function", object{"function_id": "news"}), false, object{"changed_since_pin": true, "changes": "Since it was pinned as news: it now needs region: string."})
		r := f.pin(object{"function_id": id})
		wants(t, r.object, object{"pinned_as": "news", "warnings": []any{"Since it was pinned before, the function has changed: it now needs region: string."}})
		f.wants(f.call("news", object{"region": "north"}), false, object{"ok": true})

		f.notte.Fault("GET", "/functions/{id}", sandbox.Status(http.StatusNotFound, "application/json", `{"detail":"Function not found"}`))
		<-time.After(time.Minute)
		before = f.posted()
		for range 2 { // the second one by an old list
			if r := f.call("news", object{"region": "north"}); !r.isError || !strings.Contains(r.text, `is gone: Notte has no function `+id+
				` any more. It was built from the query "fetch the top posts from news.example.com". build_automation can build it again, which is billed. Nothing was`) {
				t.Errorf("a function that is gone: %s", r.text)
			}
			if len(f.pinned()) != 0 {
				t.Error("it is listed")
			}
		}
		if f.posted() != before {
			t.Error("something was started")
		}
	})
}

// A pinned tool is answered with a task like run_function.
func TestPinnedToolAsTask(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.serve(tools.Config{Account: always(f.client(key)), Tasks: true})
		f.pin(object{"function_id": f.notte.AddFunction(posts), "name": "mine"})
		supports := object{"extensions": object{"io.modelcontextprotocol/tasks": object{}}}
		if r := f.callModern(supports, "mine", object{"site": "x"}); r.resultType != "task" {
			t.Errorf("the result is %q: %s", r.resultType, r.text)
		}
	})
}

// Pins of the settings are there without having been stored.
func TestSetPins(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		id, other := f.notte.AddFunction(posts), f.notte.AddFunction(sandbox.Function{Name: "tides", Description: "Tells the tides."})
		f.notte.FaultNext(1, "GET", "/functions/"+other, sandbox.Stall())
		began := time.Now()
		f.serve(tools.Config{Account: always(f.client(key)), Pins: tools.PinConfig{Set: []tools.SetPin{
			{FunctionID: id, Name: "mine"}, {FunctionID: other}, {FunctionID: "00000000-0000-4000-8000-000000000000"}}}})
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("the list waited %v for Notte, want 3 s", took)
		}
		if _, listed := f.pinned()["mine"]; !listed || len(f.pinned()) != 1 {
			t.Errorf("the pins are %v", f.pinned())
		}
		f.wants(f.call("mine", object{"site": "x"}), false, object{"ok": true})
		<-time.After(10 * time.Second)
		if _, listed := f.pinned()["tides"]; !listed {
			t.Error("what could not be looked up is not looked up again")
		}
		if r := f.call("pin_function", object{"function_id": "mine", "pinned": false}); !r.isError || !strings.Contains(r.text, "the settings of this server pin it") {
			t.Errorf("unpinned: %s", r.text)
		}
		f.wants(f.call("get_function", object{"function_id": "mine"}), false, object{"pinned_as": "mine"})
	})
}

// A list of tools shows no pins and no pin_function if they are off, and few tools if
// only those that are needed are wanted.
func TestWhichTools(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.pin(object{"function_id": f.notte.AddFunction(posts), "name": "mine"})
		account := always(f.client(key))
		f.serve(tools.Config{Account: account, Pins: tools.PinConfig{Off: true}})
		for _, tool := range f.list() {
			if tool.Name == "mine" || tool.Name == "pin_function" {
				t.Errorf("%s is listed", tool.Name)
			}
		}
		if about := f.initialize().Instructions; strings.Contains(about, "pinned") {
			t.Errorf("the instructions without pins: %s", about)
		}
		f.serve(tools.Config{Account: account, Minimal: true})
		var names []string
		for _, tool := range f.list() {
			names = append(names, tool.Name)
		}
		if got := strings.Join(names, " "); got != "build_automation find_functions get_build get_run mine run_function" {
			t.Errorf("the tools are %s", got)
		}
		if about := f.initialize().Instructions; strings.Contains(about, "run_batch") || !strings.Contains(about, "pinned") {
			t.Errorf("the instructions with few tools: %s", about)
		}
		if next := f.call("find_functions", object{}).str("next_step"); strings.Contains(next, "get_function") {
			t.Errorf("next_step with few tools: %s", next)
		}
		f.serve(tools.Config{Account: account, Pins: tools.PinConfig{Most: 1}})
		if r := f.call("pin_function", object{"function_id": f.notte.AddFunction(posts)}); !r.isError ||
			r.text != "1 functions are pinned, which is the limit: unpin one first; mine was not used for the longest time. Nothing was started or changed." {
			t.Errorf("beyond the limit: %s", r.text)
		}
		for _, name := range []string{"run_function", "Mine!", "x"} {
			if r := f.call("pin_function", object{"function_id": f.notte.AddFunction(posts), "name": name}); !r.isError || !strings.HasSuffix(r.text, "Nothing was started or changed.") {
				t.Errorf("the name %q: %s", name, r.text)
			}
		}
	})
}

// A change is told at once by the process that makes it, and within two seconds by
// another one.
func TestPinChangesAreTold(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		id := f.notte.AddFunction(posts)
		here := f.server
		f.serve(tools.Config{Account: always(f.client(key))})
		there := f.server
		f.server = here
		watch := func(ctx context.Context, s tools.Server) <-chan time.Duration {
			told := make(chan time.Duration, 10)
			notices := s.Toolbox.Changes(ctx)
			began := time.Now()
			go func() {
				for range notices {
					told <- time.Since(began)
				}
				close(told)
			}()
			return told
		}
		for round := range 3 {
			ctx, end := context.WithCancel(t.Context())
			a, b := watch(ctx, here), watch(ctx, there)
			<-time.After(300 * time.Millisecond)
			f.pin(object{"function_id": id, "name": "mine", "description": strings.Repeat("x", round+1)})
			if own, other := <-a, <-b; own != 300*time.Millisecond || other > 2*time.Second {
				t.Errorf("told after %v and %v", own, other)
			}
			<-time.After(5 * time.Second)
			if len(a) != 0 || len(b) != 0 {
				t.Errorf("a change was told again, %d and %d times", len(a), len(b))
			}
			end()
		}
	})
}

// countingStore counts the questions about pins.
type countingStore struct {
	functions.Store
	asked atomic.Int64
}

func (s *countingStore) Pins(ctx context.Context, a functions.Account) ([]functions.Pin, error) {
	s.asked.Add(1)
	return s.Store.Pins(ctx, a)
}

func (s *countingStore) PinGeneration(ctx context.Context) (int64, error) {
	s.asked.Add(1)
	return s.Store.PinGeneration(ctx)
}

// Only what lists or calls pins asks the store for them, and the account only if there
// are some: looking for its key may open a window.
func TestPinsAreReadOnDemand(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		store := &countingStore{Store: newStore(t)}
		f.functions = functions.New(store, f.logger())
		account := func(context.Context) (*notte.Client, error) {
			t.Error("the account was asked for")
			return nil, errors.New("no account")
		}
		f.server = tools.NewServer(tools.Config{Account: account, Jobs: f.jobs, Functions: f.functions, Logger: f.logger()})
		ctx, end := context.WithCancel(t.Context())
		f.initialize()
		f.request(t.Context(), "server/discover", modern(object{}), new(any))
		notices := f.server.Toolbox.Changes(ctx)
		<-time.After(10*time.Second + time.Second/2) // between two polls
		if n := store.asked.Load(); n != 0 {
			t.Errorf("before tools/list the store was asked %d times", n)
		}
		f.list()
		if n := store.asked.Load(); n != 1 {
			t.Errorf("tools/list without pins asked the store %d times", n)
		}
		<-time.After(10 * time.Second)
		if n := store.asked.Load(); n < 10 || n > 12 {
			t.Errorf("in 10 seconds of watching the store was asked %d times", n-1)
		}
		end()
		if _, open := <-notices; open {
			t.Error("a notice came without a change")
		}
		asked := store.asked.Load()
		<-time.After(10 * time.Second)
		if store.asked.Load() != asked {
			t.Error("the store is asked although nobody can be told")
		}
	})
}

// Two accounts have their pins to themselves, also in one server.
func TestPinsOfAccounts(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		id := f.notte.AddFunction(posts)
		mine, other := f.client(key), f.client(key+"x")
		current := mine
		f.serve(tools.Config{Account: func(context.Context) (*notte.Client, error) { return current, nil }})
		f.pin(object{"function_id": id, "name": "mine"})
		current = other
		if pins := f.pinned(); len(pins) != 0 {
			t.Errorf("another account has %v", pins)
		}
		if r := f.call("pin_function", object{"function_id": "mine", "pinned": false}); !r.isError || !strings.Contains(r.text, `Nothing is pinned as "mine". There are no pins.`) {
			t.Errorf("unpinned by another account: %s", r.text)
		}
		f.pin(object{"function_id": id, "name": "others"})
		for client, want := range map[*notte.Client]string{mine: "mine", other: "others"} {
			current = client
			if pins := f.pinned(); len(pins) != 1 || pins[want].Name != want {
				t.Errorf("%s: %v", want, pins)
			}
		}
	})
}

// With Notte away a stored function can be pinned, and a pin runs as any function does.
func TestPinWithoutNotte(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		id := f.notte.AddFunction(posts)
		f.call("get_function", object{"function_id": id})
		<-time.After(time.Minute)
		f.notte.Fault("GET", "/functions/{id}", sandbox.Status(http.StatusInternalServerError, "text/plain", "out of order"))
		r := f.pin(object{"function_id": id, "name": "mine"})
		if warnings := r.object["warnings"].([]any); warnings[0] != "Notte could not be asked just now. This is what it told of the function at 2000-01-01T00:00:00Z." {
			t.Errorf("warnings = %v", warnings)
		}
		f.pinned()
		r = f.call("mine", object{"site": "x"})
		f.wants(r, false, object{"ok": true, "warnings": []any{
			"The variables were not checked before the start, because Notte could not be asked what the function takes."}})
	})
}

// A tool of this server that is younger than a pin takes its name.
func TestPinWithTheNameOfATool(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		id := f.notte.AddFunction(posts)
		f.pin(object{"function_id": id, "name": "mine"})
		pins, err := f.functions.Pins(t.Context(), f.client(key))
		if err != nil || len(pins) != 1 {
			t.Fatal(pins, err)
		}
		pins[0].Name = "run_function" // as an older version of this server could have stored it
		if err := f.store.PutPin(t.Context(), functions.Account{Owner: f.client(key).Owner(), APIURL: "http://api.test"}, pins[0], 9); err != nil {
			t.Fatal(err)
		}
		tool, listed := f.pinned()["run_function_2"]
		if !listed || !strings.Contains(tool.Description, "Pinned as run_function, which is another tool's name now.") {
			t.Errorf("the pins are %v", f.pinned())
		}
		f.wants(f.call("run_function_2", object{"site": "x"}), false, object{"ok": true})
	})
}

// BenchmarkFirstList lists the tools with 20 pins in a process that has just started and
// has not opened its database.
func BenchmarkFirstList(b *testing.B) {
	dir := b.TempDir()
	client, err := notte.NewClient(notte.Config{Key: key, APIURL: "http://api.test", AnythingURL: "http://anything.test"})
	if err != nil {
		b.Fatal(err)
	}
	filled := sqlite.New(dir)
	for i := range functions.DefaultMaxPins {
		p := functions.Pin{Name: fmt.Sprint("pin_", i), FunctionID: fmt.Sprint("f", i), Title: "Top posts", Text: strings.Repeat("word ", 50), State: functions.PinOK, UsedAt: time.Now()}
		for v := range 8 {
			p.Variables = append(p.Variables, functions.Variable{Name: fmt.Sprint("variable_", v), Type: functions.String, Default: []byte(`"a default"`)})
		}
		if err := filled.PutPin(b.Context(), functions.Account{Owner: client.Owner(), APIURL: client.APIURL()}, p, functions.DefaultMaxPins); err != nil {
			b.Fatal(err)
		}
	}
	if err := filled.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		store := sqlite.New(dir)
		manager := jobs.NewManager(store, jobs.Options{})
		f := &fixture{t: b, server: tools.NewServer(tools.Config{Account: always(client), Jobs: manager, Functions: functions.New(store, nil)})}
		var list struct{ Tools []json.RawMessage }
		f.request(b.Context(), "tools/list", object{}, &list)
		if n := len(list.Tools); n <= functions.DefaultMaxPins {
			b.Fatalf("%d tools are listed", n)
		}
		b.StopTimer()
		manager.Stop(b.Context())
		store.Close()
		b.StartTimer()
	}
}
