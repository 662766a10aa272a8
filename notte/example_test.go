package notte_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/anything-mcp/anything-mcp/notte"
)

func ExampleClient_StartBuild() {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, `data: {"type":"tool_start","name":"page_goto"}`+"\n\n")
		io.WriteString(w, `data: {"type":"function_uploaded","function_id":"d3c31289","function_name":"Top posts"}`+"\n\n")
		io.WriteString(w, `data: {"type":"done","total_cost_usd":0.43,"function_id":"d3c31289"}`+"\n\n")
	}))
	defer srv.Close()

	client, err := notte.NewClient(notte.Config{Key: "a-key", AnythingURL: srv.URL})
	if err != nil {
		log.Fatal(err)
	}
	stream, err := client.StartBuild(context.Background(), notte.BuildRequest{Query: "fetch the top 3 hacker news posts"})
	if err != nil {
		log.Fatal(err)
	}
	for ev, err := range stream.Events() {
		if err != nil {
			log.Fatal(err)
		}
		switch ev.Type {
		case notte.EventToolStart:
			fmt.Println("uses", ev.Name)
		case notte.EventFunctionUploaded:
			fmt.Println("built", ev.FunctionName)
		case notte.EventDone:
			fmt.Printf("done: function %s for $%.2f\n", ev.FunctionID, *ev.TotalCostUSD)
		}
	}
	// Output:
	// uses page_goto
	// built Top posts
	// done: function d3c31289 for $0.43
}

func ExampleAPIKey() {
	key := notte.APIKey("sk-very-secret")
	asJSON, _ := json.Marshal(map[string]any{"key": key})

	fmt.Println(key)
	fmt.Printf("%q %x %#v\n", key, key, key)
	fmt.Println(string(asJSON))
	fmt.Println(notte.APIKey(""))
	// Output:
	// [redacted]
	// [redacted] [redacted] notte.APIKey([redacted])
	// {"key":"[redacted]"}
	// (none)
}

func ExampleRunResult_Failure() {
	// Notte calls a run closed whether its function returned or raised.
	run := notte.RunResult{
		Status: notte.RunClosed,
		Result: json.RawMessage(`"Script execution failed: Traceback (most recent call last):\n  File \"main.py\", line 3\nValueError: the page has no list"`),
	}
	fmt.Println(run.Failure())
	// Output: Script execution failed: ValueError: the page has no list
}
