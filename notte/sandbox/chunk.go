package sandbox

// Headers of a v2 stream.
const (
	threadHeader  = "X-Thread-Id"
	streamHeader  = "X-Vercel-Ai-Ui-Message-Stream"
	streamVersion = "v1" // of the AI SDK's format, not of the API
	doneFrame     = "data: [DONE]\n\n"
)

// Chunk writes one chunk of a v2 stream: a JSON object with the member "type" and
// these fields, in this order. The fields are names, each with its value:
//
//	Chunk("text-delta", "id", "t1", "delta", "Hello")
//
// It panics if a name is no string, has no value, or has one that cannot be
// encoded.
func Chunk(kind string, fields ...any) Step { return Event(chunk(kind, fields)) }

// Done writes the end of a v2 stream, "data: [DONE]" and a blank line. The thread takes
// another turn from then on.
func Done() Step {
	return Step{func(st *Stream) error {
		st.release()
		return st.send([]byte(doneFrame))
	}}
}

// Thread sets the headers of a v2 stream for the thread with this ID, and adds
// the thread if there is none. The thread is busy until [Done] or the end of the answer.
func Thread(id string) Step {
	return Step{func(st *Stream) error {
		st.w.Header().Set(threadHeader, id)
		st.w.Header().Set(streamHeader, streamVersion)
		st.server.AddThread(id, "")
		st.server.store.view(func() { st.occupy(id) })
		return nil
	}}
}

// chunk writes a chunk, or an event of v1, which has the same form.
func (st *Stream) chunk(kind string, fields ...any) error { return st.Event(chunk(kind, fields)) }

func chunk(kind string, fields []any) object { return append(object{"type", kind}, fields...) }
