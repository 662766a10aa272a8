// Package sandbox is a stand-in for Notte's Anything API and Functions API. It
// is one http.Handler that needs no account and spends no money.
//
// As a demo it answers any query with a believable build that is marked as
// simulated. As a test tool it is scriptable: [Server.Script],
// [Server.ScriptRun] and [Server.Fault] set the bytes of an answer,
// [Server.Requests] returns the requests that came in, and [Server.Client]
// reaches the Server over in-memory pipes, also inside a testing/synctest
// bubble.
//
// The package follows the documented contract and imports no other package of
// this module, so that it checks their requests independently. Its routes:
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
//	GET    /health                             needs no key, like all below
//	GET    /viewer/{session}                   ?token, a live page for a browser
//	GET    /viewer/{session}/events            ?token, the events of that page
//
// # Endings on demand
//
// One of these words in a query changes how its build ends:
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
