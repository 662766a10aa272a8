package tools

import "testing"

func TestResembles(t *testing.T) {
	for argument, names := range map[string]struct{ yes, no []string }{
		"query": {
			[]string{"qurey", "querry", "quer", "Query", "QUERY", "query_", "-query", "qüery"},
			[]string{"", "q", "prompt", "task", "input", "text", "toolCallId", "sessionId", "action", "chatInput"},
		},
		"function_id": {
			[]string{"function", "functionId", "functionID", "FunctionId", "function-id", "function_ids", "functoin_id", "funtion_id", "functions"},
			[]string{"id", "ID", "toolCallId", "call_id", "func", "name", "function_name", "function_call_id", "sessionId"},
		},
		"build_id": {
			[]string{"build", "buildId", "buildid", "biuld_id", "build_ids", "buiild_id"},
			[]string{"id", "run_id", "bid", "parent_id", "thread_id"},
		},
		"wait_seconds": {
			[]string{"wait", "seconds", "waitSeconds", "wait_second", "wait_sekonds", "waitseconds", "wait_ſeconds"},
			[]string{"timeout", "waitForPreviousTools", "wait_for_previous", "wait_ms"},
		},
		"force_new":      {[]string{"forceNew", "force", "new", "force_new_"}, []string{"newest", "reinforce"}},
		"continue_build": {[]string{"build_id", "continue", "continueBuild", "build"}, []string{"run_id", "continuation"}},
		"limit":          {[]string{"limits", "Limit", "limt"}, []string{"page_size", "max", "time"}},
		"status":         {[]string{"stats", "Status"}, []string{"state", "statuses"}},
		"variables":      {[]string{"variable", "Variables", "varaibles"}, []string{"vars", "arguments", "parameters"}},
		"cursor":         {[]string{"curser", "cursors"}, []string{"next", "page"}},
	} {
		for _, name := range names.yes {
			if !resembles(name, argument) {
				t.Errorf("%q does not resemble %s", name, argument)
			}
		}
		for _, name := range names.no {
			if resembles(name, argument) {
				t.Errorf("%q resembles %s", name, argument)
			}
		}
	}
}
