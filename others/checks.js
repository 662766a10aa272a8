// The checks, in the order of docs/compatibility.md. A check is a file in checks:
// it exits with 0 when all is well, and with 3 when this machine cannot run it.
// onlyAll leaves it to "run.js all". after names the check that must run before.
// seconds is its time limit, where it is not the usual one.
import { actionlint, chat, goVersion, goreleaser, version } from "./lib/install.js";

const sdk = "lists tools, builds with progress in order and none after the result, get_build, list_builds, run_function, pinned functions, a cancelled call, failed builds and bad arguments, all results valid by the output schemas";

const turn = "`install`, for stdio and for HTTP; its own list of servers; a whole turn: it offers the tools to the model, calls one, gets progress, and the model reads the result";

const registry = () => goVersion("others/registry", "github.com/modelcontextprotocol/registry");

export const checks = [
  { file: "sdk-v1.js", program: "TypeScript SDK v1", package: "@modelcontextprotocol/sdk", checked: `stdio and HTTP: ${sdk}` },
  { file: "sdk-v2.js", args: ["legacy"], program: "TypeScript SDK v2", package: "@modelcontextprotocol/client", checked: "the same over both transports, legacy era" },
  { file: "sdk-v2.js", args: ["modern"], program: "TypeScript SDK v2", package: "@modelcontextprotocol/client", checked: "the same over both transports, modern era, pinned and negotiated" },
  { file: "list-changed.js", program: "TypeScript SDK v2", package: "@modelcontextprotocol/client", checked: "is told of a function that is pinned, calls it as a tool, and is told that it is gone: both transports, both eras" },
  { file: "gosdk.js", program: "Go SDK", version: () => goVersion("others/gosdk", "github.com/modelcontextprotocol/go-sdk"), checked: "the same over both transports, both eras" },
  { file: "conformance.js", program: "MCP conformance suite", package: "@modelcontextprotocol/conformance", checked: "all scenarios for servers that apply (see below), in the versions 2025-06-18, 2025-11-25 and 2026-07-28, and the tasks extension" },
  { file: "inspector.js", program: "Inspector, command line", package: "@modelcontextprotocol/inspector", checked: "stdio and HTTP, both eras: its strict check of the tools, a build, a run, bad arguments" },
  { file: "mcp-remote.js", program: "mcp-remote", package: "mcp-remote", checked: "HTTP with a token, for a client over stdio: all that the SDKs check" },
  { file: "host.js", args: ["claude-code"], program: "Claude Code", package: "@anthropic-ai/claude-code", checked: turn },
  { file: "host.js", args: ["gemini"], program: "Gemini CLI", package: "@google/gemini-cli", checked: turn },
  { file: "host.js", args: ["codex"], program: "Codex", package: "@openai/codex", checked: turn },
  { file: "codex-app-server.js", program: "Codex", package: "@openai/codex", checked: "its app server, without an account: lists the tools, a build, a run, bad arguments" },
  { file: "host.js", args: ["copilot"], program: "Copilot CLI", package: "@github/copilot", checked: turn },
  { file: "host.js", args: ["opencode"], program: "opencode", package: "opencode-linux-x64", checked: turn },
  { file: "chat.js", program: "Filesystem server", version: () => version("@modelcontextprotocol/server-filesystem", chat), checked: "[the example](../examples/chat): a result of a run goes to its tools, by a model's call and as a whole resource" },
  { file: "pages.js", program: "Chromium, axe", package: "axe-core", checked: "a person's pages: sign-in, a build, a run, `build --open`, a page of another site; axe at 320, 760 and 1,200 px in both themes" },
  { file: "apps.js", args: ["2"], program: "MCP Apps, AppBridge", package: "@modelcontextprotocol/ext-apps", checked: "the build monitor in Chromium: builds and runs on the sandbox, and each state; every message by the extension's schema, calls after teardown, the keyboard, hostile texts; axe, in both themes, and 320, 760 and 1,200 px" },
  { file: "apps.js", args: ["1"], program: "MCP Apps, AppBridge", package: "ext-apps-1", checked: "the build monitor in Chromium: builds and runs on the sandbox" },
  { file: "registry.js", program: "MCP registry", version: registry, checked: "`server.json` by its validators" },
  { file: "lint.js", onlyAll: true, program: "actionlint", version: () => actionlint, checked: "the workflows; and the Dockerfile by dockerfile-utils" },
  { file: "snapshot.js", onlyAll: true, seconds: 2400, program: "GoReleaser", version: goreleaser, checked: "its check; a snapshot of a release, in the order of the workflow, with the same binaries everywhere" },
  { file: "registry.js", args: ["snapshot"], onlyAll: true, after: "snapshot.js", program: "MCP registry", version: registry, checked: "the `server.json` of the snapshot by its validators" },
  { file: "bundle.js", onlyAll: true, after: "snapshot.js", program: "mcpb", package: "@anthropic-ai/mcpb", checked: "the bundle of the snapshot: validated, unpacked, started with the configuration that the tool computes, a build" },
  { file: "npm.js", onlyAll: true, after: "snapshot.js", program: "npm and npx", version: () => "any", checked: "the packages of the snapshot: packed, installed without a network, a build" },
  { file: "image.js", onlyAll: true, after: "snapshot.js", program: "Dockerfile", version: () => "none", checked: "the image's files under a bare root without write access, its user, environment, commands and health check, with HTTP and stdio; no container engine" },
];
