// Package sandbox is a stand-in for Notte's Anything API and Functions API: one
// http.Handler, in this process, that needs no account and spends no money.
//
// As a demo it tells a believable, plainly simulated story for any query. As a
// test tool it is scriptable: [Server.Script], [Server.ScriptRun] and
// [Server.Fault] say byte by byte what comes over the wire, [Server.Requests]
// says what came in, and [Server.Client] reaches it over in-memory pipes, also
// inside a testing/synctest bubble.
//
// It knows the documented contract and nothing of its callers, so that it
// checks the wire independently. Its routes:
//
//	POST   /api/anything/start                 build, as a stream of events
//	GET    /functions                          ?page, page_size, only_active
//	GET    /functions/{id}                     ?version
//	DELETE /functions/{id}
//	POST   /functions/{id}/fork
//	GET    /functions/{id}/runs                ?page, page_size, only_active
//	POST   /functions/{id}/runs/start          create and start a run
//	POST   /functions/{id}/runs/create         create a run
//	POST   /functions/{id}/runs/{run_id}       start a created run, once
//	GET    /functions/{id}/runs/{run_id}
//	DELETE /functions/{id}/runs/{run_id}       stop a run
//	GET    /health                             without a key, as all below
//	GET    /viewer/{session}                   ?token, a live page for people
//	GET    /viewer/{session}/events            ?token, what that page listens to
//
// # Endings on demand
//
// A query that contains one of these words changes how the demo goes:
//
//	[sandbox:unavailable]  502 before the stream begins
//	[sandbox:error]        an error event, before a function was uploaded
//	[sandbox:timeout]      a timeout event, after the upload
//	[sandbox:cancelled]    a cancelled event, after the upload
//	[sandbox:cut]          the stream ends after the upload without a terminal event
//	[sandbox:nofunction]   done without a function
//	[sandbox:broken]       done, but each run of the function ends in a traceback
//	[sandbox:slow]         twenty times as slow, about two minutes
package sandbox
