package tools_test

import (
	"context"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/anything-mcp/anything-mcp/tools"
)

// watch returns the notices of a server until ctx ends.
func watch(ctx context.Context, s tools.Server) <-chan string {
	notices := make(chan string, 100)
	changes := s.Toolbox.Changes(ctx)
	go func() {
		defer close(notices)
		for method := range changes {
			notices <- method
		}
	}()
	return notices
}

// A build that has ended is told within two seconds, by another server on the same store
// too, once a client has listed the resources.
func TestEndedBuildsAreTold(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		ctx, end := context.WithCancel(t.Context())
		here, quiet := f.server, watch(ctx, f.server)
		f.call("build_automation", object{"query": "one"})
		<-time.After(5 * time.Second)
		if len(quiet) != 0 {
			t.Errorf("%s was told although nobody has listed anything", <-quiet)
		}
		f.serve(tools.Config{Account: always(f.client(key)), Pins: tools.PinConfig{Off: true}})
		there := watch(ctx, f.server)
		f.listed()
		f.server = here
		f.listed()
		f.call("build_automation", object{"query": "two"})
		ended := time.Now()
		for _, notices := range []<-chan string{quiet, there} {
			if method := <-notices; method != mcp.MethodNotificationResourcesListChanged || time.Since(ended) > 2*time.Second {
				t.Errorf("%s was told after %s", method, time.Since(ended))
			}
		}
		<-time.After(5 * time.Second)
		if len(quiet)+len(there) != 0 {
			t.Error("a change was told again")
		}
		end()
		if _, open := <-there; open {
			t.Error("a change was told after the end")
		}
		<-quiet
	})
}

// A pin of another server is told although no client of this one has listed anything.
func TestPinIsToldToNewcomers(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		id := f.notte.AddFunction(posts)
		here := f.server
		f.serve(tools.Config{Account: always(f.client(key))})
		ctx, end := context.WithCancel(t.Context())
		notices := watch(ctx, here)
		here.Toolbox.Refresh(ctx)
		f.pin(object{"function_id": id, "name": "mine"})
		<-time.After(5 * time.Second)
		end()
		var told []string
		for method := range notices {
			told = append(told, method)
		}
		if len(told) != 1 || told[0] != mcp.MethodNotificationToolsListChanged {
			t.Errorf("told was %v", told)
		}
	})
}
