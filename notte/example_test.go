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

func ExampleClient_StartBuild_followUp() {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Println("sent", string(body))
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("X-Thread-Id", "t-1")
		io.WriteString(w, `data: {"type":"tool-input-start","toolCallId":"c1","toolName":"upload"}`+"\n\n")
		io.WriteString(w, `data: {"type":"data-function","data":{"id":"d3c31289","version":"2"}}`+"\n\n")
		io.WriteString(w, `data: {"type":"finish","finishReason":"length","messageMetadata":{"total_cost_usd":0.2}}`+"\n\n")
		io.WriteString(w, "data: [DONE]\n\n")
	}))
	defer srv.Close()

	client, err := notte.NewClient(notte.Config{Key: "a-key", AnythingURL: srv.URL})
	if err != nil {
		log.Fatal(err)
	}
	stream, err := client.StartBuild(context.Background(), notte.BuildRequest{Query: "also return the score", ThreadID: "t-1"})
	if err != nil {
		log.Fatal(err)
	}
	for ev, err := range stream.Events() {
		if err != nil {
			log.Fatal(err)
		}
		switch ev.Type {
		case notte.EventThread:
			fmt.Println("thread", ev.ThreadID)
		case notte.EventFunctionUploaded: // to be confirmed by GetFunction
			fmt.Printf("function %s, version %s, from %s\n", ev.FunctionID, ev.FunctionVersion, ev.FunctionFrom)
		case notte.EventDone:
			fmt.Printf("done for $%.2f: %s\n", *ev.TotalCostUSD, ev.Warning)
		}
	}
	// Output:
	// sent {"query":"also return the score","thread_id":"t-1"}
	// thread t-1
	// function d3c31289, version 2, from data
	// done for $0.20: the model reached its length limit, so the work may be incomplete
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
