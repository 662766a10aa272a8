package notte

// v1 is the language that Notte's page "Anything API" described until August 2026,
// and the language of a run's stream. For each type of event it says which fields
// come from which keys. A type that is in neither table becomes an event without
// fields. The terminal events end the stream.
var v1 = map[EventType]func(fields) Event{
	// A build, in the order of the page.
	EventStatus:          func(f fields) Event { return Event{Status: f.text("status")} },
	EventThinkingDelta:   func(f fields) Event { return Event{Delta: f.string("delta")} },
	EventTextDelta:       func(f fields) Event { return Event{Delta: f.string("delta")} },
	EventToolStart:       func(f fields) Event { return Event{Name: f.text("name")} },
	EventToolResult:      func(f fields) Event { return Event{} }, // the content is not kept
	EventMessageComplete: func(f fields) Event { return Event{Role: f.text("role")} },
	EventSessionData:     func(f fields) Event { return Event{ViewerURL: f.string("viewer_url")} },
	EventFunctionUploaded: func(f fields) Event {
		return Event{FunctionID: f.text("function_id"), FunctionName: f.text("function_name"), CreatedAt: f.text("created_at")}
	},
	EventDone: func(f fields) Event {
		return Event{TotalCostUSD: dollars(f["total_cost_usd"]), FunctionID: f.text("function_id"), ThreadID: fieldsOf(f["metadata"]).text("thread_id")}
	},
	EventError: func(f fields) Event {
		return Event{Error: f.readable("error", "message"), Detail: f.readable("detail")}
	},
	EventTimeout:   func(f fields) Event { return Event{Reason: f.readable("reason"), Detail: f.readable("detail")} },
	EventCancelled: func(f fields) Event { return Event{Reason: f.readable("reason")} },

	// A run.
	EventLog:          func(f fields) Event { return Event{Message: f.readable("message")} },
	EventSessionStart: func(f fields) Event { return Event{Message: f.readable("message")} },
	EventResult:       func(f fields) Event { return Event{Result: resultIn(f)} },
}
