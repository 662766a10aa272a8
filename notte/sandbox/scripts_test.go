package sandbox_test

import (
	"strings"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

const (
	scriptThread   = "11111111-2222-4333-8444-555555555555"
	scriptFunction = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
)

// object is a JSON object with one member.
func object(name string, value any) map[string]any { return map[string]any{name: value} }

// scripts returns the scripts of the transcripts, by query.
func scripts() map[string][]sandbox.Step {
	chunk := sandbox.Chunk
	output := func(output any) []sandbox.Step {
		return []sandbox.Step{sandbox.Thread(scriptThread), chunk("start"),
			chunk("tool-input-available", "toolCallId", "c1", "toolName", "upload", "input", object("name", "top_posts")),
			chunk("tool-output-available", "toolCallId", "c1", "output", output), chunk("finish"), sandbox.Done()}
	}
	id, viewer := object("function_id", scriptFunction), object("viewer_url", "https://viewer.notte.cc/?token=x")
	return map[string][]sandbox.Step{
		"every chunk type": everyChunk(),
		"in data": {
			sandbox.Thread(scriptThread),
			chunk("data-session", "data", viewer, "transient", true),
			chunk("data-function", "id", "f", "data", map[string]any{"function_id": scriptFunction, "function_name": "top_posts"}),
			chunk("data-usage", "data", object("total_cost_usd", 0.4)),
			chunk("finish"), sandbox.Done(),
		},
		"in metadata": {
			sandbox.Thread(scriptThread),
			chunk("start", "messageMetadata", viewer),
			chunk("message-metadata", "messageMetadata", object("function", map[string]any{"id": scriptFunction, "name": "top_posts"})),
			chunk("finish", "finishReason", "stop", "messageMetadata", object("totalCostUsd", 0.4)), sandbox.Done(),
		},
		"in a tool's output, an object":          output(id),
		"in a tool's output, JSON in a string":   output(`{"function_id":"` + scriptFunction + `"}`),
		"in a tool's output, a list of contents": output(object("content", []any{map[string]any{"type": "text", "text": `{"workflow_id":"` + scriptFunction + `"}`}})),
		"no headers":                             {chunk("start"), chunk("finish"), sandbox.Done()},
		"no done":                                {sandbox.Thread(scriptThread), chunk("start"), chunk("finish")},
		"only done":                              {sandbox.Thread(scriptThread), sandbox.Done()},
		"cut":                                    {sandbox.Thread(scriptThread), chunk("start"), sandbox.Cut()},
		"reset":                                  {sandbox.Thread(scriptThread), chunk("start"), sandbox.Reset()},
		"inside a chunk":                         {sandbox.Thread(scriptThread), chunk("start"), sandbox.Raw(`data: {"type":"text-de`)},
		"an error, then the function":            {sandbox.Thread(scriptThread), chunk("error", "errorText", "no"), chunk("data-function", "data", id), sandbox.Done()},
		"an abort for the time":                  {sandbox.Thread(scriptThread), chunk("abort", "reason", "timed out after 600 s"), sandbox.Done()},
		"unknown chunks":                         {sandbox.Thread(scriptThread), chunk("moon-phase", "phase", 3), chunk("finish"), sandbox.Done()},
		"raw bytes":                              {sandbox.Thread(scriptThread), sandbox.Raw(": stream-open\r\n\r\ndata:{\"type\":\"start\"}\r\rdata: no JSON\n\n"), sandbox.Done()},
		"both languages":                         {sandbox.Thread(scriptThread), sandbox.Event(object("type", "status")), chunk("start"), sandbox.Done(), sandbox.Event(object("type", "done"))},
		"detached":                               {sandbox.Header("X-Thread-Id", scriptThread), sandbox.Status(202, "application/json", `{"thread_id":"`+scriptThread+`","url":"https://anything.notte.cc/t/1","status":"started"}`)},
	}
}

// everyChunk returns a script with each chunk type of the AI SDK's versions 5 to
// 7, with their optional fields.
func everyChunk() []sandbox.Step {
	chunk := sandbox.Chunk
	pm := object("provider", object("k", "v"))
	return []sandbox.Step{
		sandbox.Thread(scriptThread),
		chunk("start", "messageId", "m1", "messageMetadata", object("model", "x")),
		chunk("start-step"), chunk("reset-step"),
		chunk("reasoning-start", "id", "r1", "providerMetadata", pm), chunk("reasoning-delta", "id", "r1", "delta", "Hm"), chunk("reasoning-end", "id", "r1"),
		chunk("text-start", "id", "t1"), chunk("text-delta", "id", "t1", "delta", "a"), chunk("text-end", "id", "t1", "citations", []any{}),
		chunk("tool-input-start", "toolCallId", "c1", "toolName", "upload", "dynamic", true, "providerExecuted", false, "title", "Upload", "inputEncoding", "json"),
		chunk("tool-input-delta", "toolCallId", "c1", "inputTextDelta", "{}"),
		chunk("tool-input-available", "toolCallId", "c1", "toolName", "upload", "input", object("a", 1)),
		chunk("tool-input-error", "toolCallId", "c2", "toolName", "upload", "input", nil, "errorText", "no JSON"),
		chunk("tool-approval-request", "approvalId", "a1", "toolCallId", "c3", "reason", "costs money"),
		chunk("tool-approval-response", "approvalId", "a1", "approved", false),
		chunk("tool-output-available", "toolCallId", "c1", "output", nil, "preliminary", true),
		chunk("tool-output-error", "toolCallId", "c2", "errorText", "failed"),
		chunk("tool-output-denied", "toolCallId", "c3"),
		chunk("source-url", "sourceId", "s1", "url", "https://e.test/"),
		chunk("source-document", "sourceId", "s2", "mediaType", "text/plain", "title", "t"),
		chunk("file", "url", "data:text/plain,"+strings.Repeat("x", 3), "mediaType", "text/plain"),
		chunk("reasoning-file", "url", "data:,", "mediaType", "text/plain"),
		chunk("custom", "kind", "provider.name"),
		chunk("steering-message", "id", "u1", "parts", []any{map[string]any{"type": "text", "text": "stop"}}),
		chunk("data-anything", "id", "d1", "data", []any{1, nil}, "transient", true),
		chunk("message-metadata", "messageMetadata", object("b", 2)),
		chunk("finish-step"),
		chunk("error", "errorText", "no"), chunk("abort", "reason", "enough"),
		chunk("finish", "finishReason", "other", "messageMetadata", object("c", 3)),
		sandbox.Done(),
	}
}
