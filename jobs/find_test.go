package jobs_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// inV2 runs a test on a Manager with options and a sandbox that speaks v2, in a
// bubble.
func inV2(t *testing.T, opts jobs.Options, test func(*testing.T, *fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := sandbox.New(sandbox.WithAPI(sandbox.V2))
		defer s.Close()
		b := &fixture{Manager: jobs.NewManager(newStore(t), opts), notte: s, client: clientOf(t, s, "key-of-ann")}
		defer stop(b)
		test(t, b)
	})
}

const thread = "11111111-2222-4333-8444-555555555555"

// named is a chunk that names a function where the build itself tells of it.
func named(id string) sandbox.Step {
	return sandbox.Chunk("data-function", "data", object{"function_id": id, "name": "n"})
}

// output is a tool's output.
func output(value any) sandbox.Step {
	return sandbox.Chunk("tool-output-available", "toolCallId", "c1", "output", value)
}

// usage is a chunk that tells what the build has cost so far.
func usage(usd float64) sandbox.Step {
	return sandbox.Chunk("data-usage", "data", object{"total_cost_usd": usd})
}

// finish ends a stream of v2.
func finish(steps ...sandbox.Step) []sandbox.Step {
	return append(append([]sandbox.Step{sandbox.Thread(thread), sandbox.Chunk("start")}, steps...), sandbox.Chunk("finish", "finishReason", "stop"), sandbox.Done())
}

// The function that a v2 stream names is the build's only if Notte confirms it.
func TestFunctionOfAStream(t *testing.T) {
	young, old := sandbox.Function{Name: "n", Source: "anything"}, sandbox.Function{Name: "o", Source: "anything", Created: time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)}
	with := func(f sandbox.Function, id string) sandbox.Function { f.ID = id; return f }
	for _, c := range []struct {
		why       string
		functions []sandbox.Function
		steps     []sandbox.Step
		id, from  string
	}{
		{"named by the build", []sandbox.Function{with(young, "f1")}, finish(named("f1")), "f1", jobs.FromStream},
		{"in a tool's output", []sandbox.Function{with(young, "f1")}, finish(output(object{"function_id": "f1"})), "f1", jobs.FromStream},
		{"the last confirmed one counts", []sandbox.Function{with(young, "f1"), with(young, "f2")}, finish(named("f1"), output(object{"function_id": "f2"})), "f2", jobs.FromStream},
		{"an old one is not the build's", []sandbox.Function{with(old, "f0")}, finish(named("f0")), "", ""},
		{"one that there is not", nil, finish(named("gone")), "", ""},
		{"ten in one output", []sandbox.Function{with(young, "f1"), with(young, "f2")}, finish(output([]any{object{"function_id": "f1"}, object{"function_id": "f2"}})), "", ""},
		{"none named, one made", []sandbox.Function{with(young, "f1")}, finish(), "f1", jobs.FromCatalogue},
		{"none named, one of another source", []sandbox.Function{with(sandbox.Function{Name: "n", Source: "console"}, "f1")}, finish(), "", ""},
	} {
		t.Run(c.why, func(t *testing.T) {
			inV2(t, jobs.Options{}, func(t *testing.T, b *fixture) {
				b.notte.Script("q", c.steps...)
				time.Sleep(24 * time.Hour) // past the functions that the sandbox has from the beginning
				for _, f := range c.functions {
					b.notte.AddFunction(f)
				}
				job, _ := b.end(t, b.build(t, "q"))
				got := job.Build
				if job.State != jobs.StateDone || got.FunctionID != c.id || got.FunctionFrom != c.from || got.ThreadID != thread {
					t.Errorf("ended as %s: %+v", job.State, got)
				}
				if took := job.Elapsed(time.Now()); took > 40*time.Second {
					t.Errorf("it took %v", took)
				}
				if c.why == "none named, one of another source" && len(got.Candidates) != 1 {
					t.Errorf("candidates %+v, want the one", got.Candidates)
				}
			})
		})
	}
}

// Where Notte cannot confirm a function, the word of the build itself is told as
// unconfirmed, and that of a tool's output is not told.
func TestFunctionThatCannotBeConfirmed(t *testing.T) {
	for _, c := range []struct {
		why      string
		step     sandbox.Step
		fault    sandbox.Step
		id, from string
	}{
		{"named by the build, Notte away", named("f1"), sandbox.Status(500, "", ""), "f1", jobs.FromUnconfirmed},
		{"in a tool's output, Notte away", output(object{"function_id": "f1"}), sandbox.Status(500, "", ""), "", ""},
		{"named by the build, not found", named("f1"), sandbox.Status(404, "", ""), "", ""},
	} {
		t.Run(c.why, func(t *testing.T) {
			inV2(t, jobs.Options{}, func(t *testing.T, b *fixture) {
				b.notte.Script("q", finish(c.step)...)
				b.notte.Fault("GET", "/functions/{id}", c.fault)
				b.notte.Fault("GET", "/functions", c.fault)
				job, _ := b.end(t, b.build(t, "q"))
				if job.State != jobs.StateDone || job.Build.FunctionID != c.id || job.Build.FunctionFrom != c.from {
					t.Errorf("ended as %s: %+v", job.State, job.Build)
				}
			})
		})
	}
}

// A function that Notte does not list at once is found a little later.
func TestFunctionThatAppearsLate(t *testing.T) {
	inV2(t, jobs.Options{}, func(t *testing.T, b *fixture) {
		b.notte.Script("q", finish(named("late"))...)
		job := b.build(t, "q")
		time.AfterFunc(10*time.Second, func() { b.notte.AddFunction(sandbox.Function{ID: "late", Name: "n", Source: "anything"}) })
		ended, _ := b.end(t, job)
		if ended.Build.FunctionID != "late" || ended.Build.FunctionFrom != jobs.FromStream {
			t.Errorf("ended as %s: %+v", ended.State, ended.Build)
		}
	})
}

// While the function is looked for after the end of the stream, the build says so.
func TestLookingForTheFunctionIsTold(t *testing.T) {
	for _, c := range []struct {
		situation string
		steps     []sandbox.Step
		told      bool
	}{
		{"the stream named none", finish(), true},
		{"the stream named one that there is not", finish(named("gone")), true},
		{"the stream named it", finish(sandbox.Delay(2*time.Second), named("f1")), false},
		{"the build failed", []sandbox.Step{sandbox.Thread(thread), sandbox.Chunk("start"), sandbox.Chunk("error", "errorText", "E"), sandbox.Done()}, false},
	} {
		t.Run(c.situation, func(t *testing.T) {
			inV2(t, jobs.Options{}, func(t *testing.T, b *fixture) {
				b.notte.Script("q", c.steps...)
				job := b.build(t, "q")
				defer time.AfterFunc(time.Second, func() { b.notte.AddFunction(sandbox.Function{ID: "f1", Name: "n", Source: "anything"}) }).Stop()
				_, log := b.end(t, job)
				told := slices.ContainsFunc(log, func(e jobs.Entry) bool { return strings.Contains(e.Status, "looking for the function that it made") })
				if told != c.told {
					t.Errorf("told: %v, want %v: %+v", told, c.told, log)
				}
			})
		})
	}
}

// While two builds could both have made a function, neither gets it.
func TestTwoBuildsAndOneFunction(t *testing.T) {
	inV2(t, jobs.Options{}, func(t *testing.T, b *fixture) {
		b.notte.Script("one", finish(sandbox.Delay(time.Minute))...)
		b.notte.Script("two", finish(sandbox.Delay(time.Minute))...)
		one, two := b.build(t, "one"), b.build(t, "two")
		time.Sleep(time.Second)
		b.notte.AddFunction(sandbox.Function{ID: "f1", Name: "n", Source: "anything"})
		for _, job := range []jobs.Job{one, two} {
			ended, _ := b.end(t, job)
			if ended.State != jobs.StateDone || ended.Build.FunctionID != "" || len(ended.Build.Candidates) != 1 {
				t.Errorf("%s ended as %s: %+v", job.Build.Query, ended.State, ended.Build)
			}
		}
	})
}

// The function of a build was made before the next build began, if only by seconds. It
// is not taken for a function that the next one may have made.
func TestBuildsThatBeginSoonAfterOneAnother(t *testing.T) {
	inV2(t, jobs.Options{DetachedTimeout: 30 * time.Minute}, func(t *testing.T, b *fixture) {
		b.notte.Script("one", sandbox.Thread(thread), sandbox.Chunk("start"), sandbox.Cut())
		b.notte.Script("two", sandbox.Thread(strings.Replace(thread, "1", "2", 1)), sandbox.Chunk("start"), sandbox.Cut())
		time.Sleep(24 * time.Hour) // past the functions that the sandbox has from the beginning
		one := b.build(t, "one")
		time.Sleep(130 * time.Second)
		b.notte.AddFunction(sandbox.Function{ID: "f1", Name: "n", Source: "anything"})
		time.Sleep(10 * time.Second)
		two := b.build(t, "two")
		time.Sleep(130 * time.Second)
		b.notte.AddFunction(sandbox.Function{ID: "f2", Name: "n", Source: "anything"})
		for id, job := range map[string]jobs.Job{"f1": one, "f2": two} {
			if ended, _ := b.end(t, job); ended.State != jobs.StateDone || ended.Build.FunctionID != id {
				t.Errorf("the build %q ended as %s: %+v", job.Build.Query, ended.State, ended.Build)
			}
		}
	})
}

// fastClock shows a client answers of a Notte whose clock is ahead of ours.
type fastClock struct {
	http.RoundTripper
	ahead time.Duration
}

func (c fastClock) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := c.RoundTripper.RoundTrip(req)
	if at, parseErr := http.ParseTime(resp.Header.Get("Date")); err == nil && parseErr == nil {
		resp.Header.Set("Date", at.Add(c.ahead).Format(http.TimeFormat))
	}
	return resp, err
}

// A clock of ours that is wrong does not matter.
func TestFunctionByNottesClock(t *testing.T) {
	for _, ahead := range []time.Duration{-time.Hour, 0, time.Hour} {
		t.Run(ahead.String(), func(t *testing.T) {
			inV2(t, jobs.Options{DetachedTimeout: 30 * time.Minute}, func(t *testing.T, b *fixture) {
				b.notte.Script("q", sandbox.Thread(thread), sandbox.Chunk("start"), sandbox.Cut())
				time.Sleep(24 * time.Hour)
				c := b.notte.Client()
				c.Transport = fastClock{c.Transport, ahead}
				client, err := notte.NewClient(notte.Config{Key: "key-of-ann", APIURL: "http://api.test", AnythingURL: "http://anything.test", HTTPClient: c})
				if err != nil {
					t.Fatal(err)
				}
				b.notte.AddFunction(sandbox.Function{ID: "before", Name: "n", Source: "anything", Created: time.Now().Add(ahead - time.Minute)})
				job := b.start(t, jobs.BuildSpec{Client: client, Query: "q"})
				time.Sleep(time.Minute)
				b.notte.AddFunction(sandbox.Function{ID: "its", Name: "n", Source: "anything", Created: time.Now().Add(ahead)})
				if ended, _ := b.end(t, job); ended.State != jobs.StateDone || ended.Build.FunctionID != "its" {
					t.Errorf("ended as %s: %+v", ended.State, ended.Build)
				}
			})
		})
	}
}

// A detached build runs on without its stream, and ends when its function is there.
func TestDetachedBuild(t *testing.T) {
	inV2(t, jobs.Options{DetachedTimeout: 30 * time.Minute}, func(t *testing.T, b *fixture) {
		job := b.start(t, jobs.BuildSpec{Client: b.client, Query: "fetch the top stories", Detach: true})
		time.Sleep(time.Second)
		now, err := b.Get(t.Context(), job.Owner, job.ID)
		if err != nil || now.State != jobs.StateRunning || now.Build.ThreadID == "" || now.Build.ThreadURL == "" || !now.Build.Detached {
			t.Errorf("started it is %s %+v, %v", now.State, now.Build, err)
		}
		ended, _ := b.end(t, job)
		if ended.State != jobs.StateDone || ended.Build.FunctionID == "" || ended.Build.FunctionFrom != jobs.FromCatalogue {
			t.Errorf("ended as %s: %+v", ended.State, ended.Build)
		}
	})
}

// A detached build that never shows a function is given up.
func TestDetachedBuildThatNeverEnds(t *testing.T) {
	inV2(t, jobs.Options{DetachedTimeout: 30 * time.Minute}, func(t *testing.T, b *fixture) {
		b.notte.Script("q", sandbox.Header("x-thread-id", thread), sandbox.Status(202, "application/json", `{"thread_id":"`+thread+`","url":"https://anything.notte.cc/t/1","status":"started"}`))
		job, _ := b.end(t, b.start(t, jobs.BuildSpec{Client: b.client, Query: "q", Detach: true}))
		if took := job.Elapsed(time.Now()); job.State != jobs.StateInterrupted || took < 30*time.Minute || took > 32*time.Minute || job.Build.ThreadURL == "" {
			t.Errorf("ended as %s after %v: %+v", job.State, took, job.Build)
		}
	})
}

// A detached build outlives its process: the next one finds its function.
func TestDetachedBuildOutlivesItsProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sandbox.New(sandbox.WithAPI(sandbox.V2))
		defer s.Close()
		client := clientOf(t, s, "key-of-ann")
		store := newStore(t)
		opts := jobs.Options{DetachedTimeout: 30 * time.Minute}
		here := &fixture{Manager: jobs.NewManager(store, opts), notte: s, client: client}
		job := here.start(t, jobs.BuildSpec{Client: client, Query: "fetch the top stories", Detach: true})
		time.Sleep(time.Second)
		follower := make(chan error, 1)
		go func() {
			_, err := here.Next(t.Context(), job.Owner, job.ID, 1000, time.Hour)
			follower <- err
		}()
		synctest.Wait()
		if err := here.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := <-follower; err == nil {
			t.Error("a follower was not told that the process stops")
		}
		if left, err := store.Get(t.Context(), job.ID); err != nil || left.State != jobs.StateRunning {
			t.Fatalf("left behind it is %s, %v", left.State, err)
		}
		there := &fixture{Manager: jobs.NewManager(store, opts), notte: s, client: client}
		defer stop(there)
		there.Recover(client)
		begun := time.Now()
		ended, _ := there.end(t, job)
		if ended.State != jobs.StateDone || ended.Build.FunctionID == "" {
			t.Errorf("ended as %s: %+v", ended.State, ended.Build)
		}
		if took := time.Since(begun); took > 10*time.Second {
			t.Errorf("the next process took %v", took)
		}
		if here.starts() != 1 {
			t.Errorf("%d starts", here.starts())
		}
	})
}

// The same while the store fails: what the next process needs is stored when it can
// be.
func TestDetachedBuildOutlivesAProcessThatCouldNotStoreIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sandbox.New(sandbox.WithAPI(sandbox.V2))
		defer s.Close()
		client := clientOf(t, s, "key-of-ann")
		opts := jobs.Options{DetachedTimeout: 30 * time.Minute}
		store := &failingStore{Store: newStore(t)}
		here := &fixture{Manager: jobs.NewManager(store, opts), notte: s, client: client}
		store.fail(true)
		job := here.start(t, jobs.BuildSpec{Client: client, Query: "fetch the top stories", Detach: true})
		time.Sleep(time.Second)
		time.AfterFunc(2*time.Second, func() { store.fail(false) })
		if err := here.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		there := &fixture{Manager: jobs.NewManager(store, opts), notte: s, client: client}
		defer stop(there)
		there.Recover(client)
		begun := time.Now()
		if ended, _ := there.end(t, job); ended.State != jobs.StateDone || ended.Build.FunctionID == "" || time.Since(begun) > 10*time.Second {
			t.Errorf("ended as %s after %v: %+v", ended.State, time.Since(begun), ended.Build)
		}
	})
}

// A stream of v2 that breaks is not the end: the function is looked for.
func TestBrokenStreamOfV2(t *testing.T) {
	for _, c := range []struct {
		why   string
		steps []sandbox.Step
		late  time.Duration // until the function appears
		state jobs.State
		most  time.Duration
		cost  float64 // 0: not known
	}{
		{"before the function", []sandbox.Step{sandbox.Thread(thread), sandbox.Chunk("start"), sandbox.Cut()}, 3 * time.Minute, jobs.StateDone, 5 * time.Minute, 0},
		{"after the function", []sandbox.Step{sandbox.Thread(thread), sandbox.Chunk("start"), sandbox.Delay(2 * time.Second), named("f1"), sandbox.Cut()}, time.Second, jobs.StateDone, time.Minute, 0},
		{"without any function", []sandbox.Step{sandbox.Thread(thread), sandbox.Chunk("start"), sandbox.Reset()}, 2 * time.Hour, jobs.StateInterrupted, 32 * time.Minute, 0},
		{"after a cost", []sandbox.Step{sandbox.Thread(thread), sandbox.Chunk("start"), usage(0.25), usage(0.4), sandbox.Cut()}, 3 * time.Minute, jobs.StateDone, 5 * time.Minute, 0.4},
		{"after a cost, without any function", []sandbox.Step{sandbox.Thread(thread), sandbox.Chunk("start"), usage(0.4), sandbox.Reset()}, 2 * time.Hour, jobs.StateInterrupted, 32 * time.Minute, 0.4},
		{"after the price of a page", []sandbox.Step{sandbox.Thread(thread), sandbox.Chunk("start"), output(object{"cost": 9.99}), sandbox.Cut()}, time.Second, jobs.StateDone, time.Minute, 0},
	} {
		t.Run(c.why, func(t *testing.T) {
			inV2(t, jobs.Options{DetachedTimeout: 30 * time.Minute}, func(t *testing.T, b *fixture) {
				b.notte.Script("q", c.steps...)
				job := b.build(t, "q")
				timer := time.AfterFunc(c.late, func() { b.notte.AddFunction(sandbox.Function{ID: "f1", Name: "n", Source: "anything"}) })
				defer timer.Stop()
				ended, _ := b.end(t, job)
				if ended.State != c.state || ended.Elapsed(time.Now()) > c.most || (ended.Build.FunctionID == "f1") != (c.state == jobs.StateDone) {
					t.Errorf("ended as %s after %v: %+v", ended.State, ended.Elapsed(time.Now()), ended.Build)
				}
				cost := ended.Build.TotalCostUSD
				if (cost != nil) != (c.cost > 0) || cost != nil && *cost != c.cost {
					t.Errorf("cost %v, want %v", cost, c.cost)
				}
				if c.state == jobs.StateDone && (!strings.Contains(ended.Build.Warning, "lost") || strings.Contains(ended.Build.Warning, "cost may be higher") != (cost != nil)) {
					t.Errorf("the warning is %q", ended.Build.Warning)
				}
				if b.starts() != 1 {
					t.Errorf("%d starts", b.starts())
				}
			})
		})
	}
}

// A follow-up goes on in the thread of a build, and may change its function.
func TestFollowUp(t *testing.T) {
	inV2(t, jobs.Options{ReuseWindow: time.Hour}, func(t *testing.T, b *fixture) {
		first, _ := b.end(t, b.build(t, "fetch the top stories"))
		more := jobs.BuildSpec{Client: b.client, Query: "also return the score", Continue: &first}
		running := b.start(t, more)
		if again, joined, err := b.Start(t.Context(), more); err != nil || !joined || again.ID != running.ID {
			t.Errorf("the same follow-up: %s, joined %v, %v", again.ID, joined, err)
		}
		other := more
		other.Query = "repair it"
		if _, _, err := b.Start(t.Context(), other); !errors.Is(err, jobs.ErrThreadBusy) {
			t.Errorf("another follow-up meanwhile: %v", err)
		}
		ended, log := b.end(t, running)
		got := ended.Build
		told := slices.DeleteFunc(log, func(e jobs.Entry) bool { return e.Type != notte.EventFunctionUploaded })
		if len(told) != 1 || !told[0].FunctionUpdated || told[0].FunctionVersion != got.FunctionVersion {
			t.Errorf("the log tells of %+v", told)
		}
		if ended.State != jobs.StateDone || got.Continues != first.ID || got.ThreadID != first.Build.ThreadID ||
			got.FunctionID != first.Build.FunctionID || got.FunctionVersion == "" || got.FunctionVersion == first.Build.FunctionVersion {
			t.Errorf("ended as %s: %+v, after %+v", ended.State, got, first.Build)
		}
		if again, joined, err := b.Start(t.Context(), more); err != nil || !joined || again.ID != running.ID {
			t.Errorf("the finished follow-up: %s, joined %v, %v", again.ID, joined, err)
		}
		none := first
		none.Build = &jobs.Build{}
		if _, _, err := b.Start(t.Context(), jobs.BuildSpec{Client: b.client, Query: "q", Continue: &none}); !errors.Is(err, jobs.ErrNoThread) {
			t.Errorf("a build without a thread: %v", err)
		}
	})
}

// A service that does not know of detached builds answers with the stream: it is
// followed, and the user is told.
func TestDetachedBuildThatIsFollowed(t *testing.T) {
	inBubble(t, func(t *testing.T, b *fixture) { // speaks v1
		b.notte.Script("q", event("status", "status", "running"), event("done", "function_id", "f1"))
		job, log := b.end(t, b.start(t, jobs.BuildSpec{Client: b.client, Query: "q", Detach: true}))
		if job.State != jobs.StateDone || job.Build.FunctionID != "f1" || job.Build.Detached {
			t.Errorf("ended as %s: %+v", job.State, job.Build)
		}
		if len(log) != 3 || !strings.Contains(log[0].Status, "followed") {
			t.Errorf("the log is %+v", log)
		}
	})
}

// A process that stops in the middle of a v2 stream leaves the build to the next.
func TestStopAmidAStreamOfV2(t *testing.T) {
	inV2(t, jobs.Options{DetachedTimeout: 30 * time.Minute}, func(t *testing.T, b *fixture) {
		b.notte.Script("q", sandbox.Thread(thread), sandbox.Chunk("start"), sandbox.Stall())
		job := b.build(t, "q")
		time.Sleep(time.Second)
		if err := b.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		now, err := b.Get(t.Context(), job.Owner, job.ID)
		if err != nil || now.State != jobs.StateRunning || now.Build.ThreadID != thread {
			t.Errorf("left behind it is %s %+v, %v", now.State, now.Build, err)
		}
	})
}
