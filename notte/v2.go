package notte

// toolOutputAvailable is the type of the chunk that has what a tool returned.
const toolOutputAvailable = "tool-output-available"

// v2 is the language of Notte since August 2026: the UI message stream of the AI
// SDK in its versions 5 to 7. For each type of chunk it says what reads the chunk.
// [turn.data] reads a chunk "data-NAME". A type that is in neither table becomes an
// event without fields. "[DONE]" or the end of the body ends the stream: see
// [turn.end].
var v2 = map[string]func(*turn, fields){
	// The message, its metadata and its steps.
	"start":            (*turn).start,
	"message-metadata": (*turn).metadata,
	"start-step":       func(t *turn, _ fields) { t.startStep() },
	"finish-step":      func(t *turn, _ fields) { t.completeMessage() },
	"reset-step":       func(t *turn, _ fields) { t.resetStep() },

	// The agent's text, in blocks.
	"text-start":      func(t *turn, f fields) { t.text.start(t, f.text("id")) },
	textDelta:         func(t *turn, f fields) { t.text.add(t, f.text("id"), f.string("delta")) },
	"text-end":        func(t *turn, f fields) { t.text.end(t, f.text("id")) },
	"reasoning-start": func(t *turn, f fields) { t.reasoning.start(t, f.text("id")) },
	reasoningDelta:    func(t *turn, f fields) { t.reasoning.add(t, f.text("id"), f.string("delta")) },
	"reasoning-end":   func(t *turn, f fields) { t.reasoning.end(t, f.text("id")) },

	// Its tools. Their inputs are not searched.
	"tool-input-start":       (*turn).startTool,
	"tool-input-delta":       ignore,
	"tool-input-available":   (*turn).startTool,
	"tool-input-error":       func(t *turn, f fields) { t.startTool(f); t.endTool(f) },
	"tool-approval-request":  (*turn).askApproval,
	"tool-approval-response": (*turn).answerApproval,
	toolOutputAvailable:      (*turn).toolOutput,
	"tool-output-error":      (*turn).endTool,
	"tool-output-denied":     (*turn).endTool,

	// Other parts of a message.
	"source-url":       ignore,
	"source-document":  ignore,
	"file":             ignore,
	"reasoning-file":   ignore,
	"custom":           ignore,
	"steering-message": func(t *turn, _ fields) { t.tell("got a further message") },

	// How it ends. Each may be followed by more.
	"finish": (*turn).finish,
	"abort":  (*turn).abort,
	"error":  (*turn).fail,
}

// ignore reads a chunk that has nothing for an [Event].
func ignore(*turn, fields) {}
