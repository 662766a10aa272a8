package install

import (
	"cmp"
	"path/filepath"
	"slices"
)

// Host is a program that starts MCP servers, as its configuration sees it.
type Host struct {
	Name  string // on our command line
	Title string

	program string // its command; "": it has none
	// files returns where the user's file may be. The first that exists is taken; if
	// none does, the first in a folder that exists; else the last.
	files   func(Env) []string
	project []string // the same within a project; nil: it has none
	format  format
	servers string // the member of the file with the servers

	stdio []field // of the entry of a server that the host starts
	http  []field // of one that runs already; nil: the file cannot name one

	reference string // the format in which an entry names a variable; "": it cannot
	prompts   string // the list of the values that the host asks its user for; "": it has none
	settings  bool   // a server gets the environment of the host, except keys
	keys      bool   // a server gets the keys in that environment too
	lock      string // what the host appends to the file's name for the folder that locks it; "": no lock

	// Effect says when a change takes effect.
	Effect string
}

// Env is what the paths of hosts depend on.
type Env struct {
	GOOS    string
	Home    string
	Vars    map[string]string // the environment; names are in upper case on Windows
	Project string            // the folder of the project; "" for the files of the user
	Backups string            // the folder for copies of files before a change
}

// home returns a path below the user's home.
func (e Env) home(path string) string { return filepath.Join(e.Home, filepath.FromSlash(path)) }

// dir returns the folder that a variable names, or else a path below the home.
func (e Env) dir(variable, path string) string { return cmp.Or(e.Vars[variable], e.home(path)) }

// config returns the folder in which desktop programs keep their configuration.
func (e Env) config() string {
	switch e.GOOS {
	case "darwin":
		return e.home("Library/Application Support")
	case "windows":
		return e.dir("APPDATA", "AppData/Roaming")
	}
	return e.dir("XDG_CONFIG_HOME", ".config")
}

// inDir returns the place of a file in the folder that a variable names, or else in
// one below the home.
func inDir(variable, path, file string) func(Env) []string {
	return func(e Env) []string { return []string{filepath.Join(e.dir(variable, path), file)} }
}

// inConfig returns the places of a file below the folder of desktop programs.
func inConfig(paths ...string) func(Env) []string {
	return func(e Env) []string {
		files := make([]string, len(paths))
		for i, path := range paths {
			files[i] = filepath.Join(e.config(), filepath.FromSlash(path))
		}
		return files
	}
}

// claudeDesktopFiles has two places on Windows: when a build from the Store opens the
// second, Windows gives it the first.
func claudeDesktopFiles(e Env) []string {
	files := inConfig("Claude/claude_desktop_config.json")(e)
	if e.GOOS != "windows" {
		return files
	}
	store := "Packages/Claude_pzs8sxrjxfjjc/LocalCache/Roaming/Claude/claude_desktop_config.json"
	return append([]string{filepath.Join(e.dir("LOCALAPPDATA", "AppData/Local"), filepath.FromSlash(store))}, files...)
}

func zedFiles(e Env) []string {
	switch dir := e.Vars["FLATPAK_XDG_CONFIG_HOME"]; {
	case e.GOOS == "darwin":
		return []string{e.home(".config/zed/settings.json")}
	case e.GOOS == "windows":
		return inConfig("Zed/settings.json")(e)
	case dir != "":
		return []string{filepath.Join(dir, "zed", "settings.json")}
	}
	return inConfig("zed/settings.json")(e)
}

func opencodeFiles(e Env) []string {
	dir := filepath.Join(e.dir("XDG_CONFIG_HOME", ".config"), "opencode")
	first := filepath.Join(dir, "opencode.json")
	return []string{first, filepath.Join(dir, "opencode.jsonc"), first}
}

// The kinds of JSON, by what hosts read besides the standard.
var (
	plainJSON = jsonFormat{mark: true}
	jsonc     = jsonFormat{comments: true, commas: true, mark: true}
)

// Hosts returns the hosts that are known, in the order of their titles.
func Hosts() []*Host { return slices.Clone(hosts) }

// Names returns the names of the hosts.
func Names() []string {
	names := make([]string, len(hosts))
	for i, h := range hosts {
		names[i] = h.Name
	}
	return names
}

// hosts is the table of hosts. A new host is one more entry.
var hosts = []*Host{{
	Name: "claude-code", Title: "Claude Code", program: "claude",
	files: inDir("CLAUDE_CONFIG_DIR", "", ".claude.json"), project: []string{".mcp.json"},
	format: plainJSON, servers: "mcpServers",
	stdio:     []field{ofType("stdio"), command, args, env},
	http:      []field{ofType("http"), urlNamed("url"), headers},
	reference: "${%s}", settings: true, keys: true, lock: ".lock",
	Effect: "It takes effect in the next session of Claude Code.",
}, {
	Name: "claude-desktop", Title: "Claude Desktop",
	files:  claudeDesktopFiles,
	format: plainJSON, servers: "mcpServers",
	stdio:  []field{command, args, env},
	Effect: "It takes effect at the next start of Claude Desktop. If that runs now, it may write the file anew from its memory: quit it fully, in the tray too, do this again, and start it.",
}, {
	Name: "codex", Title: "Codex", program: "codex",
	files: inDir("CODEX_HOME", ".codex", "config.toml"), project: []string{".codex/config.toml"},
	format: tomlFormat{}, servers: "mcp_servers",
	stdio:  []field{command, args, codexKey, codexTime, env},
	http:   []field{urlNamed("url"), codexToken, headersNamed("http_headers")},
	Effect: "It takes effect at the next start of Codex.",
}, {
	Name: "copilot", Title: "Copilot CLI", program: "copilot",
	files: inDir("COPILOT_HOME", ".copilot", "mcp-config.json"), project: []string{".mcp.json"},
	format: jsonc, servers: "mcpServers",
	stdio:     []field{either("type", "local", "stdio"), command, args, env, byDefault("tools", []string{"*"})},
	http:      []field{ofType("http"), urlNamed("url"), headers, byDefault("tools", []string{"*"})},
	reference: "${%s}", settings: true,
	Effect: "It takes effect at the next start of Copilot CLI.",
}, {
	Name: "cursor", Title: "Cursor", program: "cursor",
	files: inDir("", ".cursor", "mcp.json"), project: []string{".cursor/mcp.json"},
	format: jsonc, servers: "mcpServers",
	stdio:     []field{command, args, env},
	http:      []field{urlNamed("url"), headers},
	reference: "${env:%s}",
	Effect:    "It takes effect at once.",
}, {
	Name: "gemini", Title: "Gemini CLI", program: "gemini",
	files: inDir("", ".gemini", "settings.json"), project: []string{".gemini/settings.json"},
	format: jsonFormat{comments: true}, servers: "mcpServers",
	stdio:     []field{command, args, env},
	http:      []field{urlNamed("httpUrl"), headers},
	reference: "$%s", settings: true,
	Effect: "It takes effect at the next start of Gemini CLI.",
}, {
	Name: "opencode", Title: "opencode", program: "opencode",
	files: opencodeFiles, project: []string{"opencode.json", "opencode.jsonc"},
	format: jsonc, servers: "mcp",
	stdio:     []field{ofType("local"), commandLine, envNamed("environment")},
	http:      []field{ofType("remote"), urlNamed("url"), headers},
	reference: "{env:%s}", settings: true, keys: true,
	Effect: "It takes effect at the next start of opencode.",
}, {
	Name: "vscode", Title: "VS Code", program: "code",
	// The last is taken if none of the builds is installed.
	files:   inConfig("Code/User/mcp.json", "Code - Insiders/User/mcp.json", "VSCodium/User/mcp.json", "Code/User/mcp.json"),
	project: []string{".vscode/mcp.json"},
	format:  jsonc, servers: "servers",
	stdio:     []field{ofType("stdio"), command, args, env},
	http:      []field{ofType("http"), urlNamed("url"), headers},
	reference: "${input:%s}", prompts: "inputs",
	Effect: "It takes effect when you choose Start or Restart above the entry in VS Code.",
}, {
	Name: "windsurf", Title: "Windsurf", program: "windsurf",
	files:  inDir("", ".codeium/windsurf", "mcp_config.json"),
	format: plainJSON, servers: "mcpServers",
	stdio:     []field{command, args, env},
	http:      []field{urlNamed("serverUrl"), headers},
	reference: "${env:%s}",
	Effect:    "It takes effect when you refresh the list of MCP servers in Windsurf.",
}, {
	Name: "zed", Title: "Zed", program: "zed",
	files: zedFiles, project: []string{".zed/settings.json"},
	format: jsonc, servers: "context_servers",
	stdio:  []field{command, args, env},
	http:   []field{urlNamed("url"), headers},
	Effect: "It takes effect at once.",
}}

// commandLine is the command and its arguments in one list.
var commandLine field = func(_ *Host, s Server) member {
	return member{name: "command", value: append([]string{s.Command}, s.Args...)}
}

// codexKey names the variable with the key: a server of Codex gets only variables that
// are named.
var codexKey field = func(_ *Host, s Server) member {
	if s.KeyName == "" || s.Key != "" {
		return member{name: "env_vars"}
	}
	return member{name: "env_vars", value: names{s.KeyName}}
}

// codexTime bounds the time of a call, which Codex does not extend when progress comes.
var codexTime field = func(_ *Host, s Server) member {
	return member{name: "tool_timeout_sec", value: int(s.CallTime.Seconds()), keep: true}
}

var codexToken field = func(_ *Host, s Server) member {
	if s.TokenName == "" || s.Token != "" {
		return member{name: "bearer_token_env_var"}
	}
	return member{name: "bearer_token_env_var", value: s.TokenName}
}

// Lines returns the text of a file that has s alone, as most other hosts read it.
func Lines(s Server) string {
	most := Host{format: plainJSON, servers: "mcpServers", stdio: []field{command, args, env}, http: []field{urlNamed("url"), headers}}
	return most.Lines(s)
}
