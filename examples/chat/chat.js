// A chat in which the result of a run goes to a tool of another MCP server: the
// official filesystem server writes it to a file.
//
//   npm ci
//   node chat.js > transcript.md
//
// It needs anything-mcp in the PATH, or its path in BINARY, and neither a key nor a
// model: all runs are on the sandbox, and the model is a script.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";

const dir = mkdtempSync(join(tmpdir(), "chat-"));
const filesystem = join(dirname(createRequire(import.meta.url).resolve("@modelcontextprotocol/server-filesystem/package.json")), "dist/index.js");
const servers = {
  anything: { command: process.env.BINARY ?? "anything-mcp", args: ["stdio", "--sandbox", "--sandbox-speed", "0"] },
  files: { command: process.execPath, args: [filesystem, dir] },
};

const task = "Save the titles and links of the five best posts of Hacker News as top-posts.json.";

// model is the stand-in: what a model would answer to the result of its last call.
const model = [
  () => ({ tool: "anything__find_functions", arguments: { query: "top posts of Hacker News" } }),
  ({ functions }) => ({ tool: "anything__run_function", arguments: { function_id: functions[0].function_id, variables: { count: "50" } } }),
  // It reads again only what it hands on.
  ({ run_id }) => ({ tool: "anything__get_run", arguments: { run_id, path: "/items", fields: ["title", "url"], limit: 5 } }),
  ({ result }) => ({ tool: "files__write_file", arguments: { path: join(dir, "top-posts.json"), content: JSON.stringify(result, null, 2) } }),
  () => ({ text: "top-posts.json has the five best posts. The run was simulated by the sandbox." }),
];

const clients = {};
for (const [name, server] of Object.entries(servers)) {
  clients[name] = new Client({ name: "chat", version: "1" });
  await clients[name].connect(new StdioClientTransport({ ...server, stderr: "ignore" }));
  await clients[name].listTools(); // so that the SDK checks results against their schemas
}

// show prints a part of the transcript, without the path of the directory. brief has
// of a result what the model goes on with, and two elements of each list.
const show = (text) => console.log(text.replaceAll(dir, "DIR") + "\n");
const quote = (value) => "```json\n" + JSON.stringify(value, null, 2) + "\n```";
const brief = (value) => {
  if (Array.isArray(value)) return [...value.slice(0, 2).map(brief), ...(value.length > 2 ? [`… and ${value.length - 2} more`] : [])];
  if (typeof value !== "object") return value;
  const left = ["function_run_id", "session_id", "function_version", "logs", "started_at", "elapsed_seconds", "as_of", "last_run"];
  return Object.fromEntries(Object.entries(value).flatMap(([name, v]) => (left.includes(name) ? [] : [[name, brief(v)]])));
};

// call calls a tool by the name that the model knows it by.
async function call(tool, args) {
  const [server, name] = tool.split("__");
  const result = await clients[server].callTool({ name, arguments: args });
  if (result.isError) throw new Error(`${tool}: ${result.content[0].text}`);
  return result;
}

show("# A chat with two MCP servers");
show(`**User:** ${task}`);
let last, run;
for (const answer of model) {
  const said = answer(last?.structuredContent);
  if (said.text) {
    show(`**Assistant:** ${said.text}`);
    break;
  }
  show(`**Assistant** calls \`${said.tool}\`:\n\n${quote(said.arguments)}`);
  last = await call(said.tool, said.arguments);
  run ??= last.structuredContent.run_id;
  show(`It returns:\n\n${quote(brief(last.structuredContent))}`);
}

// What no model has to read goes from server to server without one: the whole result
// is a resource.
const uri = `run://${run}/result`;
const whole = await clients.anything.readResource({ uri });
await call("files__write_file", { path: join(dir, "all-posts.json"), content: whole.contents[0].text });
const { items } = JSON.parse(readFileSync(join(dir, "all-posts.json")));
show(`The host reads \`${uri}\` and has \`files__write_file\` save it as all-posts.json: ${items.length} posts, handed on without a model.`);
show(`top-posts.json is then:\n\n\`\`\`json\n${readFileSync(join(dir, "top-posts.json"), "utf8")}\n\`\`\``);

for (const client of Object.values(clients)) await client.close();
rmSync(dir, { recursive: true });
