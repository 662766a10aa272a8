package notte

import (
	"log/slog"
	"strings"
	"testing"
)

// TestChunks reads one chunk of each type by itself.
func TestChunks(t *testing.T) {
	for _, tt := range []struct{ chunk, want string }{
		{`{"type":"start"}`, "status started"},
		{`{"type":"start","messageId":"m","messageMetadata":{"functionId":"f1"}}`, "status started\nfunction_uploaded f1 metadata"},
		{`{"type":"start-step"}`, "status step 1"},
		{`{"type":"finish-step"}`, ""},
		{`{"type":"reset-step"}`, "status step 1 is tried again"},
		{`{"type":"text-start","id":"t1"}`, ""},
		{`{"type":"text-delta","id":"t1","delta":"a"}`, "text_delta a"},
		{`{"type":"text-delta","id":"t1","delta":"a\nb"}`, "text_delta a\nb"},
		{`{"type":"text-delta","id":"t1","delta":"a","providerMetadata":{"openai":{"itemId":"x"}}}`, "text_delta a"},
		{`{"type":"text-delta","id":3,"delta":"a"}`, "text_delta a"},
		{`{"type":"text-delta","delta":null}`, "text_delta"},
		{`{"type":"text-end","id":"t1","citations":[]}`, ""},
		{`{"type":"reasoning-start","id":"r1"}`, ""},
		{`{"type":"reasoning-delta","id":"r1","delta":"a"}`, "thinking_delta a"},
		{`{"type":"reasoning-delta","id":"r1","delta":"\u00e9"}`, "thinking_delta é"},
		{`{"type":"reasoning-end","id":"r1"}`, ""},
		{`{"type":"tool-input-start","toolCallId":"c1","toolName":"bash","dynamic":true}`, "tool_start bash"},
		{`{"type":"tool-input-start","toolCallId":"c1","toolName":"bash","title":"Run a command"}`, "tool_start Run a command"},
		{`{"type":"tool-input-delta","toolCallId":"c1","inputTextDelta":"{\"function_id\":\"f1\"}"}`, ""},
		{`{"type":"tool-input-available","toolCallId":"c1","toolName":"bash","input":{"function_id":"f1","viewer_url":"https://viewer.notte.cc/1"}}`, "tool_start bash"},
		{`{"type":"tool-input-error","toolCallId":"c1","toolName":"bash","input":"{","errorText":"bad"}`, "tool_start bash\ntool_result"},
		{`{"type":"tool-approval-request","approvalId":"a1","toolCallId":"c1"}`, "status waits for an approval, which can only be given on the page of the thread in Notte's app"},
		{`{"type":"tool-approval-request","approvalId":"a1","toolCallId":"c1","isAutomatic":true}`, ""},
		{`{"type":"tool-approval-response","approvalId":"a1","approved":true}`, "status the approval was given"},
		{`{"type":"tool-approval-response","approvalId":"a1","approved":false,"reason":"no"}`, "status the approval was refused"},
		{`{"type":"tool-output-available","toolCallId":"c1","output":null}`, "tool_result"},
		{`{"type":"tool-output-available","toolCallId":"c1","output":{"function_id":"f1"}}`, "tool_result\nfunction_uploaded f1 tool"},
		{`{"type":"tool-output-available","toolCallId":"c1","output":{"function_id":"f1","viewer_url":"https://viewer.notte.cc/1"},"preliminary":true}`, "notte_session_data https://viewer.notte.cc/1"},
		{`{"type":"tool-output-error","toolCallId":"c1","errorText":"bad"}`, "tool_result"},
		{`{"type":"tool-output-denied","toolCallId":"c1"}`, "tool_result"},
		{`{"type":"source-url","sourceId":"s","url":"https://viewer.notte.cc/1"}`, ""},
		{`{"type":"source-document","sourceId":"s","mediaType":"text/plain","title":"x"}`, ""},
		{`{"type":"file","url":"data:image/png;base64,AAAA","mediaType":"image/png"}`, ""},
		{`{"type":"reasoning-file","url":"data:,","mediaType":"text/plain"}`, ""},
		{`{"type":"custom","kind":"notte.thing"}`, ""},
		{`{"type":"steering-message","id":"m2","parts":[{"type":"text","text":"also the score"}]}`, "status got a further message"},
		{`{"type":"data-status","data":{"status":"installing"}}`, "status installing"},
		{`{"type":"data-status","data":"installing"}`, "status installing"},
		{`{"type":"data-x","data":{"state":"a","phase":"b"}}`, "status a"},
		{`{"type":"data-x","data":{"phase":"b","message":"c"},"transient":true}`, "status b"},
		{`{"type":"data-x","data":{"message":"c"}}`, "status c"},
		{`{"type":"data-x","data":{"status":3}}`, "status x"},
		{`{"type":"data-browser-step","data":{"n":3}}`, "status browser-step"},
		{`{"type":"data-browser-step"}`, "status browser-step"},
		{`{"type":"data-session","data":{"viewer_url":"https://viewer.notte.cc/?token=1"},"transient":true}`, "notte_session_data https://viewer.notte.cc/?token=1"},
		{`{"type":"data-function","data":{"id":"f1","name":"top"},"id":"not this"}`, "function_uploaded f1 top data"},
		{`{"type":"data-function","data":{"id":"f1","status":"uploaded"}}`, "function_uploaded f1 data\nstatus uploaded"},
		{`{"type":"data-","data":1}`, ""},
		{`{"type":"message-metadata","messageMetadata":{"workflow_id":"f1","function_name":"top","version":3}}`, "function_uploaded f1 top metadata 3"},
		{`{"type":"message-metadata","messageMetadata":{"usage":{"inputTokens":3},"threadId":"t1"}}`, "thread t1"},
		{`{"type":"finish","finishReason":"stop"}`, ""},
		{`{"type":"abort","reason":"stopped"}`, ""},
		{`{"type":"error","errorText":"no\nluck"}`, "status error: no luck"},
		{`{"type":"novel-chunk","function_id":"f1"}`, "novel-chunk"},
		{`{"type":"novelty"}`, "novelty"},
	} {
		var got []string
		d := decoder{language: languageV2, turn: newTurn(testClient(slog.DiscardHandler), func(string, int) {})}
		more, err := d.decode("", tt.chunk, func(ev Event) bool {
			got = append(got, describe(ev))
			if ev.Size != len(tt.chunk) {
				t.Errorf("%s: %s has size %d", tt.chunk, ev.Type, ev.Size)
			}
			return !ev.Terminal()
		})
		if !more || err != nil || strings.Join(got, "\n") != tt.want {
			t.Errorf("%s: %v, %v\ngot  %q\nwant %q", tt.chunk, more, err, got, tt.want)
		}
	}
}

// chunks is the stream of these events.
func chunks(events ...string) string {
	return "data: " + strings.Join(events, "\n\ndata: ") + "\n\n"
}

const (
	start      = `{"type":"start"}`
	startStep  = `{"type":"start-step"}`
	finishStep = `{"type":"finish-step"}`
	finish     = `{"type":"finish","finishReason":"stop"}`
	end        = `[DONE]`
)

func textOf(id, text string) string {
	return `{"type":"text-delta","id":"` + id + `","delta":"` + text + `"}`
}

// TestV2Ends ends streams in every way. lost is for an outcome that was not told.
func TestV2Ends(t *testing.T) {
	const lost = "lost"
	const noFinish = "done the stream ended without saying that the build was finished"
	finished := func(reason string) string { return `{"type":"finish","finishReason":"` + reason + `"}` }
	failed := func(text string) string { return `{"type":"error","errorText":"` + text + `"}` }
	for _, tt := range []struct{ name, stream, want string }{
		{"as documented", chunks(start, finish, end), "done"},
		{"nothing but an end", chunks(start, end), noFinish},
		{"no [DONE]", chunks(start, finish), "done"},
		{"no blank line behind it", strings.TrimRight(chunks(start, finish), "\n"), "done"},
		{"no finish", chunks(start, textOf("t", "a"), end), noFinish},
		{"no reason", chunks(start, `{"type":"finish"}`, end), "done"},
		{"neither", chunks(start, textOf("t", "a")), lost},
		{"cut in a chunk", chunks(start) + `data: {"type":"fin`, lost},
		{"cut in the chunk after the finish", chunks(start, finish) + "data: [DO", "done"},
		{"length", chunks(start, finished("length"), end), "done the model reached its length limit, so the work may be incomplete"},
		{"content filter", chunks(start, finished("content-filter"), end), "done a content filter stopped the model, so the work may be incomplete"},
		{"tool calls", chunks(start, finished("tool-calls"), end), "done the model stopped at a call of a tool, so the work may be incomplete"},
		{"another reason", chunks(start, finished("weariness"), end), "done the model stopped for the reason “weariness”, so the work may be incomplete"},
		{"error as a reason", chunks(start, finished("error"), end), "error Notte says that the build failed, but not why"},
		{"error text, then error as a reason", chunks(start, failed("no luck"), finished("error"), end), "error no luck"},
		{"error as a reason, then its text", chunks(start, finished("error"), failed("no luck"), end), "error no luck"},
		{"interrupted", chunks(start, finished("interrupted"), end), lost},
		{"interrupted, then finished", chunks(start, finished("interrupted"), start, finish, end), "done"},
		{"error", chunks(start, failed("no luck"), end), "error no luck"},
		{"two errors", chunks(start, failed("first"), failed("second"), end), "error first"},
		{"error, then a good end", chunks(start, failed("no luck"), startStep, textOf("t", "a"), finish, end), "error no luck"},
		{"error and the end of the body", chunks(start, failed("no luck")), "error no luck"},
		{"error, and the work goes on", chunks(start, failed("no luck"), startStep, textOf("t", "a")), lost},
		{"error, and the text goes on", chunks(start, textOf("t", "a"), failed("no luck"), textOf("t", "b")), lost},
		{"error, and a tool goes on", chunks(start, failed("no luck"), `{"type":"tool-output-available","toolCallId":"c","output":{}}`), lost},
		{"error, then more to [DONE]", chunks(start, failed("no luck"), textOf("t", "b"), end), "error no luck"},
		{"error and the end of the step", chunks(start, failed("no luck"), finishStep), "error no luck"},
		{"error in v1's keys", chunks(start, `{"type":"error","error":"no luck","detail":"at all"}`, end), "error no luck: at all"},
		{"error that timed out", chunks(start, failed("The agent timed out after 600 s"), end), "timeout The agent timed out after 600 s"},
		{"abort", chunks(start, `{"type":"abort"}`, end), "cancelled"},
		{"abort with a reason", chunks(start, `{"type":"abort","reason":"stopped by the user"}`, end), "cancelled stopped by the user"},
		{"abort and the end of the body", chunks(start, `{"type":"abort"}`), "cancelled"},
		{"abort that timed out", chunks(start, `{"type":"abort","reason":"timeout: 600 s"}`, end), "timeout timeout: 600 s"},
		{"abort, then an error about it", chunks(start, `{"type":"abort","reason":"stopped"}`, failed("AbortError"), end), "cancelled stopped"},
		{"a cost", chunks(start, `{"type":"finish","messageMetadata":{"total_cost_usd":0.4}}`, end), "done cost=0.4"},
		{"a cost and an error", chunks(start, `{"type":"data-usage","data":{"cost_usd":"0.4"}}`, failed("no luck"), end), "error cost=0.4 no luck"},
		{"a cost and an abort", chunks(start, `{"type":"message-metadata","messageMetadata":{"usage":{"totalCostUsd":0.4}}}`, `{"type":"abort"}`, end), "cancelled cost=0.4"},
		{"a thread", chunks(`{"type":"start","messageMetadata":{"thread_id":"t1"}}`, finish, end), "done t1"},
		{"what follows [DONE]", chunks(start, finish, end, failed("late")), "done"},
		{"a second message", chunks(start, finish, start, finished("length"), end), "done the model reached its length limit, so the work may be incomplete"},
		{"a second message that is cut", chunks(start, finish, start), lost},
		{"data behind the finish", chunks(start, finish, `{"type":"data-x","data":{}}`), "done"},
		{"an event of v1 that ends", chunks(start, `{"type":"done","function_id":"f1"}`), "done f1"},
		{"v1 from the middle on", chunks(start, `{"type":"status","status":"a"}`, end, `{"type":"done","function_id":"f1"}`), "done f1"},
		{"v1 in the middle", chunks(start, `{"type":"status","status":"a"}`, textOf("t", "a"), end), noFinish},
		{"v1 from the middle on, without its end", chunks(start, finish, `{"type":"status","status":"a"}`, end), "done"},
		{"v1 from the middle on, with [DONE] alone", chunks(start, `{"type":"status","status":"a"}`, end), noFinish},
		{"v2 from the middle on", chunks(`{"type":"status","status":"a"}`, end, start, finish, end), "done"},
		{"v1 with [DONE]", chunks(`{"type":"status","status":"a"}`, end), lost},
		{"an error of v1", chunks(`{"type":"status","status":"a"}`, end, `{"type":"error","error":"E","detail":"D"}`), "error E D"},
		{"an error of v2 first", chunks(failed("no luck"), end), "error no luck"},
		{"an unknown chunk first", chunks(`{"type":"novel-chunk"}`, end), noFinish},
		{"an unknown type of v1 and [DONE]", chunks(`{"type":"status"}`, `{"type":"novel-event"}`, end, `{"type":"done"}`), "done"},
	} {
		for _, size := range []int{1, 7, 1 << 20} {
			got := lost
			for ev, err := range testStream(pieces(tt.stream, size)).Events() {
				if ev.Terminal() {
					got = describe(ev)
				}
				if (err != nil) != (got == lost) && err != nil {
					t.Errorf("%s: %v after %s", tt.name, err, got)
				}
			}
			if got != tt.want {
				t.Errorf("%s, in pieces of %d:\ngot  %s\nwant %s", tt.name, size, got, tt.want)
			}
		}
	}
}

// TestLostAfterAnError checks that the reason of a stream that broke has the error
// that came before.
func TestLostAfterAnError(t *testing.T) {
	stream := chunks(start, `{"type":"error","errorText":"overloaded, see https://notte.cc/x?token=4711"}`, textOf("t", "a"))
	_, err := eventsOf(t, strings.NewReader(stream))
	if err == nil || !strings.Contains(err.Error(), "example.test ended the stream, after an error (overloaded, see https://notte.cc/…), before Notte told the outcome") {
		t.Error(err)
	}
}
