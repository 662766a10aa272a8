package functions_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anything-mcp/anything-mcp/functions"
	"github.com/anything-mcp/anything-mcp/jobs/sqlite"
	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// fixture is a catalogue of a sandbox.
type fixture struct {
	*functions.Catalogue
	t      *testing.T
	notte  *sandbox.Server
	client *notte.Client
	store  *sqlite.Store
}

// inBubble calls f with a fixture on synthetic time.
func inBubble(t *testing.T, test func(*testing.T, *fixture), opts ...sandbox.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := &fixture{t: t, notte: sandbox.New(append([]sandbox.Option{sandbox.WithSpeed(0)}, opts...)...), store: sqlite.NewMemory()}
		defer f.notte.Close()
		defer f.store.Close()
		var err error
		f.client, err = notte.NewClient(notte.Config{Key: "k", APIURL: "http://api.test", HTTPClient: f.notte.Client()})
		if err != nil {
			t.Fatal(err)
		}
		f.Catalogue = functions.New(f.store, nil)
		test(t, f)
	})
}

// find searches for words, and checks how many requests that makes.
func (f *fixture) find(words string, requests int) functions.List {
	f.t.Helper()
	before := len(f.notte.Requests())
	list, err := f.Find(f.t.Context(), f.client, functions.Query{Text: words, Limit: 20})
	if err != nil {
		f.t.Fatalf("find %q: %v", words, err)
	}
	if n := len(f.notte.Requests()) - before; n != requests {
		f.t.Errorf("find %q made %d requests, want %d", words, n, requests)
	}
	return list
}

func names(list functions.List) string {
	var all []string
	for _, f := range list.Functions {
		all = append(all, f.Name)
	}
	return strings.Join(all, " ")
}

func TestFind(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		list := f.find("weather", 1)
		if names(list) != "weather-forecast" || list.Stale || list.More || list.Partial || !list.AsOf.Equal(time.Now()) {
			t.Errorf("got %+v", list)
		}
		if got := list.Functions[0].Signature(); got != "city: string, days: integer = 3, imperial: boolean = false" {
			t.Errorf("its signature is %q", got)
		}
		f.notte.AddFunction(sandbox.Function{Name: "tides"})
		if list := f.find("tides weath", 0); names(list) != "weather-forecast" {
			t.Errorf("within a minute it finds %q", names(list))
		}
		if list := f.find("???", 0); len(list.Functions) != 0 {
			t.Errorf("signs alone find %q", names(list))
		}
		<-time.After(time.Minute)
		if list := f.find("tides", 1); names(list) != "tides" {
			t.Errorf("a minute later it finds %q", names(list))
		}
		if list := f.find("", 0); len(list.Functions) != 7 {
			t.Errorf("without words: %q", names(list))
		}
		list, err := f.Find(t.Context(), f.client, functions.Query{Site: "https://www.Example.com/a", Limit: 3})
		if err != nil || len(list.Functions) != 3 || !list.More {
			t.Errorf("of one site: %+v, %v", list, err)
		}
	}, sandbox.WithExamples())
}

// A list that is older than the newest build is read again at once.
func TestFindWhatWasJustBuilt(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.find("", 1)
		<-time.After(time.Second)
		f.notte.AddFunction(sandbox.Function{Name: "new"})
		built := time.Now()
		<-time.After(time.Second)
		for _, wantRequests := range []int{1, 0} {
			before := len(f.notte.Requests())
			list, err := f.Find(t.Context(), f.client, functions.Query{Limit: 5, Changed: built})
			if n := len(f.notte.Requests()) - before; err != nil || names(list) != "new" || n != wantRequests {
				t.Errorf("%q with %d requests, %v", names(list), n, err)
			}
		}
	})
}

func TestFindReadsUpTo1000(t *testing.T) {
	for _, c := range []struct {
		functions, requests int
		partial             bool
	}{{99, 1, false}, {100, 2, false}, {250, 3, false}, {1000, 10, true}} {
		t.Run(fmt.Sprint(c.functions), func(t *testing.T) {
			inBubble(t, func(t *testing.T, f *fixture) {
				for i := range c.functions {
					f.notte.AddFunction(sandbox.Function{Name: fmt.Sprintf("function-%d", i)})
				}
				if list := f.find("function", c.requests); list.Partial != c.partial || list.Stale || !list.More {
					t.Errorf("partial %v, stale %v, %d functions", list.Partial, list.Stale, len(list.Functions))
				}
				if list := f.find("function-7", 0); list.Functions[0].Name != "function-7" {
					t.Errorf("found %q", names(list))
				}
			})
		})
	}
}

// If Notte does not answer, the stored list is told, and Notte is left alone for a
// while.
func TestStale(t *testing.T) {
	for name, c := range map[string]struct {
		fault    sandbox.Step
		requests int // of one attempt
		within   time.Duration
		quiet    time.Duration // without another attempt
	}{
		"slow":       {sandbox.Delay(time.Hour), 1, 3 * time.Second, 10 * time.Second},
		"away":       {sandbox.Status(http.StatusInternalServerError, "application/json", `{"detail":"x"}`), 1, 0, 10 * time.Second},
		"a web page": {sandbox.Status(http.StatusOK, "text/html", "<html>Just a moment...</html>"), 1, 0, 10 * time.Second},
		"gone":       {sandbox.Status(http.StatusNotFound, "application/json", `{"detail":"Not Found"}`), 1, 0, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, f *fixture) {
				f.find("", 1)
				read := time.Now()
				<-time.After(time.Minute)
				f.notte.FaultNext(1, "GET", "/functions", c.fault)
				began := time.Now()
				list := f.find("price", c.requests)
				if took := time.Since(began); names(list) != "product-price" || !list.Stale || !list.AsOf.Equal(read) || took != c.within {
					t.Errorf("after %v: %+v", took, list)
				}
				<-time.After(c.quiet - time.Second)
				if list := f.find("price", 0); !list.Stale {
					t.Error("not stale, without a request")
				}
				<-time.After(time.Second)
				if list := f.find("price", 1); list.Stale {
					t.Error("stale, although Notte has answered")
				}
			}, sandbox.WithExamples())
		})
	}
}

// Nothing is stored, and Notte cannot be asked.
func TestNothingToTell(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.notte.FaultNext(1, "GET", "/functions", sandbox.Status(http.StatusForbidden, "application/json", `{"detail":"no"}`))
		if _, err := f.Find(t.Context(), f.client, functions.Query{Limit: 1}); err == nil || !strings.Contains(err.Error(), "403") {
			t.Errorf("got %v", err)
		}
		f.find("", 1)
	})
}

// A list that cannot be read to its end within 3 seconds is told as far as it was.
func TestFindReadsAPart(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		for range 500 {
			f.notte.AddFunction(sandbox.Function{Name: "same"})
		}
		f.notte.Fault("GET", "/functions", sandbox.Delay(time.Second), sandbox.Demo())
		if list := f.find("same", 3); len(list.Functions) != 20 || !list.Partial {
			t.Errorf("%d functions, partial %v", len(list.Functions), list.Partial)
		}
	})
}

// The limits of Notte are kept: what it asks to wait, and a reserve of requests.
func TestRateLimits(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.find("", 1)
		for range 20 { // of another client
			f.client.ListSecretNames(t.Context())
		}
		<-time.After(time.Minute)
		f.find("", 1) // 29 requests are left
		for range 20 {
			f.client.ListSecretNames(t.Context())
		}
		if list, err := f.Find(t.Context(), f.client, functions.Query{Limit: 1, Changed: time.Now()}); err != nil || !list.Stale {
			t.Errorf("with 9 requests left: %+v, %v", list, err)
		}
		if n := len(f.notte.Requests()); n != 42 {
			t.Errorf("%d requests", n)
		}
		<-time.After(time.Minute)
		if list := f.find("", 1); list.Stale {
			t.Error("stale in the next minute")
		}
		<-time.After(time.Minute)
		f.notte.FaultNext(1, "GET", "/functions", sandbox.Header("Retry-After", "90"), sandbox.Status(http.StatusTooManyRequests, "application/json", `{"detail":"slow down"}`))
		if list := f.find("", 1); !list.Stale {
			t.Error("not stale after a 429")
		}
		<-time.After(80 * time.Second)
		f.find("", 0)
		<-time.After(10 * time.Second)
		f.find("", 1)
	}, sandbox.WithRateLimit(30))
}

// Of many callers in several processes one reads the list, and all get it.
func TestOneReads(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		other := functions.New(f.store, nil)
		f.notte.Fault("GET", "/functions", sandbox.Delay(time.Second), sandbox.Demo())
		var wg sync.WaitGroup
		for i := range 20 {
			c := f.Catalogue
			if i%2 == 0 {
				c = other
			}
			wg.Go(func() {
				list, err := c.Find(t.Context(), f.client, functions.Query{Text: "price", Limit: 5})
				if err != nil || names(list) != "product-price" || list.Stale {
					t.Errorf("%+v, %v", list, err)
				}
			})
		}
		wg.Wait()
		if n := len(f.notte.Requests()); n != 1 {
			t.Errorf("%d requests, want 1", n)
		}
	}, sandbox.WithExamples())
}

// A process that ended while it read the list keeps the others waiting for seconds.
func TestReaderIsGone(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		a := functions.Account{Owner: f.client.Owner(), APIURL: f.client.APIURL()}
		if ok, err := f.store.LeaseCatalogue(t.Context(), a, "gone", functions.State{}, time.Now(), time.Now().Add(6*time.Second)); !ok || err != nil {
			t.Fatal(ok, err)
		}
		_, err := f.Find(t.Context(), f.client, functions.Query{Limit: 1})
		if err == nil || !strings.Contains(err.Error(), "another process") {
			t.Errorf("got %v", err)
		}
		<-time.After(3 * time.Second)
		f.find("", 1)
	})
}

func TestGet(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		id := f.notte.AddFunction(sandbox.Function{Name: "n", Instructions: "first\nsecond", ResponseFormat: map[string]any{"type": "array"}})
		f.find("", 1)
		get := func(requests int) (functions.Function, error) {
			t.Helper()
			before := len(f.notte.Requests())
			got, err := f.Get(t.Context(), f.client, id)
			if n := len(f.notte.Requests()) - before; n != requests {
				t.Errorf("%d requests, want %d", n, requests)
			}
			return got, err
		}
		for _, requests := range []int{1, 0} {
			got, err := get(requests)
			if err != nil || got.Name != "n" || got.Details.Instructions != "first\nsecond" || string(got.Details.ResponseFormat) != `{"type":"array"}` {
				t.Errorf("got %+v, %v", got, err)
			}
		}
		f.notte.UpdateFunction(id, func(n *sandbox.Function) { n.Name = "other" })
		<-time.After(time.Minute)
		f.notte.FaultNext(1, "GET", "/functions/{id}", sandbox.Delay(time.Hour))
		began := time.Now()
		if got, err := get(1); err != nil || got.Name != "n" || time.Since(began) != 3*time.Second {
			t.Errorf("Notte is slow: after %v %+v, %v", time.Since(began), got, err)
		}
		if got, err := get(1); err != nil || got.Name != "other" || got.Version != "2" {
			t.Errorf("got %+v, %v", got, err)
		}
		<-time.After(time.Minute)
		f.notte.FaultNext(1, "GET", "/functions/{id}", sandbox.Status(http.StatusNotFound, "application/json", `{"detail":"Function not found"}`))
		if _, err := get(1); !notte.IsNotFound(err) {
			t.Errorf("a function that is gone: %v", err)
		}
		if list := f.find("other", 1); names(list) != "other" {
			t.Errorf("found %q", names(list))
		}
	})
}

func TestSimilar(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		const request = "Get the newest posts from https://news.ycombinator.com/newest, please"
		if got := f.Similar(t.Context(), f.client, request); got != nil {
			t.Errorf("with nothing stored: %v", got)
		}
		f.find("", 1)
		for request, want := range map[string]string{
			request:                                "hacker-news-top-posts",
			"posts of ycombinator.com":             "hacker-news-top-posts",
			"posts of www.News.YCombinator.com.":   "hacker-news-top-posts",
			"posts of old.news.ycombinator.com":    "",
			"the top posts of hacker news":         "",
			"the tides of news.ycombinator.comedy": "",
			"":                                     "",
		} {
			if got := names(functions.List{Functions: f.Similar(t.Context(), f.client, request)}); got != want {
				t.Errorf("%q: %q, want %q", request, got, want)
			}
		}
		if got := f.Similar(t.Context(), f.client, "read example.com for price weather invoices stock role"); len(got) != 3 {
			t.Errorf("%d functions, want 3", len(got))
		}
		if n := len(f.notte.Requests()); n != 1 {
			t.Errorf("%d requests", n)
		}
	}, sandbox.WithExamples())
}

// Texts that attack their reader come out clean and bounded.
func TestHostile(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		for _, hostile := range sandbox.HostileFunctions() {
			f.notte.AddFunction(hostile)
		}
		for _, listed := range f.find("", 1).Functions {
			got, err := f.Get(t.Context(), f.client, listed.ID)
			if err != nil {
				t.Fatal(err)
			}
			all := fmt.Sprintf("%+v %+v %s", got, *got.Details, got.Signature())
			for _, r := range all {
				if r < ' ' && r != '\n' || r == 0x202e || r == 0x200b || 0xe0000 <= r && r <= 0xe007f {
					t.Errorf("%.60q holds %U", all, r)
					break
				}
			}
			if len(all) > 40_000 || len(got.Name) > 800 || strings.Contains(got.Signature(), "s3cret") || strings.ContainsAny(got.Site, " <(") {
				t.Errorf("%d bytes: %.500q", len(all), all)
			}
		}
	})
}
