// The hosts: where each keeps its servers, and how it is asked to play a turn.
//
// file is the host's configuration, and user what a user has there already. list
// is the host's command that lists servers, and listed what it says of ours. turn
// is the command of a turn, and env its environment, both for a stand-in at url.
// progress says whether the host asks for progress. search says that the host
// offers a search instead of the tools.
export const hosts = {
  "claude-code": {
    file: ".claude.json",
    list: ["claude", "mcp", "list"],
    listed: /^anything: .* - ✔ Connected$/m,
    turn: () => ["claude", "-p", "Build it.", "--allowedTools", "mcp__anything__build_automation"],
    env: (url) => ({
      ANTHROPIC_BASE_URL: url,
      ANTHROPIC_API_KEY: "x",
      DISABLE_AUTOUPDATER: "1",
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    }),
    progress: true,
    search: true,
  },
  gemini: {
    file: ".gemini/settings.json",
    user: () => JSON.stringify({ security: { auth: { selectedType: "gemini-api-key" } }, privacy: { usageStatisticsEnabled: false } }),
    list: ["gemini", "mcp", "list"],
    listed: /^✓ anything: .* - Connected$/m,
    turn: () => ["gemini", "--model", "gemini-3-pro", "--approval-mode", "yolo", "-p", "Build it."],
    env: (url) => ({ GOOGLE_GEMINI_BASE_URL: url, GEMINI_API_KEY: "x", GEMINI_CLI_TRUST_WORKSPACE: "true" }),
    progress: true,
  },
  codex: {
    file: ".codex/config.toml",
    user: (url) => `model = "x"
model_provider = "stand-in"

[model_providers.stand-in]
name = "stand-in"
base_url = "${url}/v1"
wire_api = "responses"
`,
    list: ["codex", "mcp", "list"],
    listed: /^anything .* enabled /m,
    turn: () => ["codex", "exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", "Build it."],
    env: () => ({}),
    progress: true,
  },
  copilot: {
    file: ".copilot/mcp-config.json",
    list: ["copilot", "mcp", "list"],
    listed: /anything/,
    turn: () => ["copilot", "--allow-all-tools", "-p", "Build it."],
    env: (url) => ({ COPILOT_OFFLINE: "true", COPILOT_PROVIDER_BASE_URL: `${url}/v1`, COPILOT_MODEL: "x" }),
    progress: true,
  },
  opencode: {
    file: ".config/opencode/opencode.json",
    user: (url) => JSON.stringify({
      model: "stand-in/x",
      provider: { "stand-in": { npm: "@ai-sdk/openai-compatible", options: { baseURL: `${url}/v1`, apiKey: "x" }, models: { x: {} } } },
    }),
    list: ["opencode", "mcp", "list"],
    listed: /✓ .*anything.*connected/,
    turn: () => ["opencode", "run", "Build it."],
    env: () => ({ OPENCODE_DISABLE_AUTOUPDATE: "1", OPENCODE_DISABLE_MODELS_FETCH: "1" }),
    progress: true,
  },
};
