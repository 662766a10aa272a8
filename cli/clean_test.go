package cli

import (
	"slices"
	"testing"
)

// What hosts, env files and people leave around a value is taken off.
func TestClean(t *testing.T) {
	const key = "nk-4711/a+b="
	for _, value := range []string{
		key, " " + key + " ", key + "\n", key + "\r\n", "\t" + key,
		"\u00a0" + key + "\u00a0", "\ufeff" + key, "\u200b" + key + "\u200b", "\u3000" + key, "\u2028" + key,
		`"` + key + `"`, "'" + key + "'", "`" + key + "`", `'"` + key + `"'`, `"` + key + `'`, `"` + key, key + `"`,
		`\"` + key + `\"`, "“" + key + "”", "„" + key + "“", "‘" + key + "’", "«" + key + "»", "＂" + key + "＂", "\"\ufeff" + key + "\"\r",
		"Bearer " + key, "bearer " + key, "BEARER  " + key, "Bearer\u00a0" + key, "Bearer: " + key, `"Bearer ` + key + `"`, `Bearer "` + key + `"`, "Bearer Bearer " + key,
		"Authorization: Bearer " + key, "authorization:Bearer " + key, `"Authorization": "Bearer ` + key + `"`, "X-API-Key: " + key,
		"NOTTE_API_KEY=" + key, "NOTTE_API_KEY=NOTTE_API_KEY=" + key, "NOTTE_API_KEY = " + key, `NOTTE_API_KEY="` + key + `"`, "'NOTTE_API_KEY=" + key + "'",
		"notte_api_key=" + key, "NOTTE_API_KEY: " + key, `"NOTTE_API_KEY": "` + key + `",`, "export NOTTE_API_KEY=" + key, "export  NOTTE_API_KEY='" + key + "';",
		"NOTTE_API_KEY=Bearer " + key, "export NOTTE_API_KEY=\"Bearer " + key + "\"\r\n",
	} {
		if got := clean(keyVariable, value, "linux"); got != key {
			t.Errorf("the key in %q is read as %q", value, got)
		}
	}
	for _, test := range []struct{ goos, value, want string }{
		{"linux", "", ""},
		{"linux", ` "" `, ""},
		{"linux", "'", ""},
		{"linux", "ANYTHING_MCP_STATE_DIR=", ""},
		{"linux", "a b", "a b"},
		{"linux", "Bearer x", "Bearer x"}, // not a secret
		{"linux", "/a b/$HOME/%20#c'", "/a b/$HOME/%20#c'"},
		{"linux", ` "/a/it's" `, "/a/it's"},
		{"linux", "ANYTHING_MCP_STATE_DIR='/a'", "/a"},
		{"linux", "~/a", "~/a"},
		{"windows", `C:\a\"`, `C:\a\"`},
		{"windows", `"C:\a b"`, `C:\a b`},
		{"windows", `\\server\share\`, `\\server\share\`},
		{"windows", `~\a`, `~\a`},
	} {
		if got := clean("ANYTHING_MCP_STATE_DIR", test.value, test.goos); got != test.want {
			t.Errorf("on %s %q is read as %q, want %q", test.goos, test.value, got, test.want)
		}
	}
}

// A placeholder in the place of a key or token is an error, which does not repeat it.
func TestPlaceholderAsSecret(t *testing.T) {
	for _, value := range []string{
		"${NOTTE_API_KEY}", "${NOTTE_API_KEY", "${user_config.api_key}", "${input:notte}", "${env:NOTTE_API_KEY}", "${KEY:-}", "${KEY:-${OTHER}}", "sk-${KEY}", "Bearer ${KEY}", "${KEY}${KEY}",
		"'${KEY}'", `"$NOTTE_API_KEY"`, "$KEY", "$notteKey", "$env:NOTTE_API_KEY", "$(pass notte)", "{{api_key}}", "{{ secrets.KEY }}", "${{ secrets.KEY }}", "{env:KEY}", "%KEY%", "%NOTTE_API_KEY%",
		"<your key>", "<key>", "<hunter2hunter2>", "[your-key]", "{key}", "“<your key>”",
		"undefined", "UNDEFINED", "null", "None", "nil", "NaN", "false", "(null)", "[object Object]", `"null"`, "Bearer", "Bearer ", "Bearer undefined",
		"YOUR_API_KEY", "YOUR_NOTTE_API_KEY", "your-api-key", "yourApiKey", "your api key here", "Your Key", "sk-your-api-key", "paste-key-here", "INSERT_API_KEY", "enter_your_key", "put-your-key-here", "insertKeyHere", "replace-me", "REPLACE_THIS", "changeme", "change-me", "CHANGE_ME", "TODO", "placeholder",
		"…", "...", "sk-…", "nk-...", "sk-****abcd", "xxxx", "xxx", "sk-xxxxxxxx", "••••••", "************",
		"NOTTE_API_KEY", "process.env.NOTTE_API_KEY", "env.NOTTE_API_KEY", "op://Private/Notte/key", "https://console.notte.cc",
	} {
		for _, name := range []string{keyVariable, tokenVariable} {
			got, err := newEnvironment([]string{name + "=" + value}, "linux").secret(name)
			if name == tokenVariable && slices.Contains([]string{"NOTTE_API_KEY", "process.env.NOTTE_API_KEY", "env.NOTTE_API_KEY"}, value) {
				continue // a strange token, but one
			}
			if err == nil || got != "" {
				t.Errorf("%s=%q is taken for the secret %q", name, value, got)
			}
		}
	}
	_, err := newEnvironment([]string{tokenVariable + "=<hunter2hunter2>"}, "linux").secret(tokenVariable)
	const want = "ANYTHING_MCP_AUTH_TOKEN holds a placeholder (<…>), which the host or shell passed on as it stands: set it to the token itself, or remove it"
	if err == nil || err.Error() != want {
		t.Errorf("the error is %v, want %s", err, want)
	}
}

// What only resembles a placeholder is a secret.
func TestSecretLikePlaceholder(t *testing.T) {
	for _, value := range []string{
		"sk-te/st+4711<x>&=%", "any-key", "KEY", "key", "k", "pa$$word", "a$B", "100%sure%", "keep-your-secrets-42", "get.me.there", "entered-the-room", "insert-coin-17",
		"nullable", "undefined-4711", "xx", "a.b..c", "bearer-of-news", "/Zm9v/YmFy+==", "ab{cd}", "trueish",
	} {
		if got, err := newEnvironment([]string{tokenVariable + "=" + value}, "linux").secret(tokenVariable); got != value || err != nil {
			t.Errorf("the token %q is read as %q, %v", value, got, err)
		}
	}
}
