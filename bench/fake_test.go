package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
)

// fakeArg makes the test binary a server over stdio, of a behavior that follows.
const fakeArg = "fake"

// The behaviors of serveFake.
const (
	honest = "honest" // builds, shows the steps, stores nothing, lists nothing
	silent = "silent" // builds and shows no steps
	hasty  = "hasty"  // answers at once and does nothing
	absent = "absent" // exits
)

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == fakeArg {
		serveFake(os.Args[2])
		return
	}
	os.Exit(m.Run())
}

// serveFake answers requests from stdin until it ends.
func serveFake(behavior string) {
	if behavior == absent {
		return
	}
	var mu sync.Mutex // guards stdout
	write := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Printf(`{"jsonrpc":"2.0",`+format+"}\n", args...)
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var m struct {
			ID     int
			Method string
			Params struct {
				Name      string
				Arguments struct{ Query string }
			}
		}
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			panic(err)
		}
		switch {
		case m.ID == 0: // a notification
		case m.Params.Name == "build_automation" && behavior != hasty:
			go func() {
				fakeBuild(m.Params.Arguments.Query, func(step string) {
					if behavior != silent {
						write(`"method":"notifications/progress","params":{"message":%q}`, step)
					}
				})
				write(`"id":%d,"result":{"structuredContent":{"status":"done","function_id":%q}}`, m.ID, benchFunction)
			}()
		default:
			write(`"id":%d,"result":{"structuredContent":{}}`, m.ID)
		}
	}
}

// fakeBuild has the upstream build, and returns at the end of the stream.
func fakeBuild(query string, show func(step string)) {
	resp, err := startBuild(context.Background(), http.DefaultClient, os.Getenv("NOTTE_ANYTHING_URL"), query)
	if err != nil {
		panic(err)
	}
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		var step struct{ Name string }
		data := strings.TrimPrefix(lines.Text(), "data: ")
		if json.Unmarshal([]byte(data), &step) == nil && step.Name != "" {
			show(step.Name)
		}
	}
}
