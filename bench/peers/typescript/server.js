// An MCP server on the TypeScript SDK, as small as one can be that does what
// anything-mcp's build_automation does for its caller: it asks Notte for a
// build, reads the event stream, drops the deltas, sends a progress
// notification for each status and each step, and returns the last event. It
// stores nothing, so a call that is lost loses its build.
//
//   node server.js        speaks MCP over stdio
//   node server.js ADDR   speaks Streamable HTTP at http://ADDR/mcp
//
// It takes the variables NOTTE_API_KEY and NOTTE_ANYTHING_URL.
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { z } from "zod";

// newServer returns a server for one session: the SDK connects each to one
// transport.
function newServer() {
  const server = new McpServer({ name: "typescript", version: "1" });
  server.registerTool(
    "build_automation",
    {
      description: "Builds a web automation.",
      // The arguments that anything-mcp takes. Only the query is used.
      inputSchema: {
        query: z.string(),
        wait_seconds: z.number().optional(),
        force_new: z.boolean().optional(),
      },
    },
    buildAutomation,
  );
  return server;
}

async function buildAutomation({ query }, extra) {
  const token = extra._meta?.progressToken;
  let updates = 0;
  const progress = async (message) => {
    if (token === undefined) return;
    await extra.sendNotification({
      method: "notifications/progress",
      params: { progressToken: token, progress: ++updates, message },
    });
  };
  for await (const event of startBuild(query, extra.signal)) {
    switch (event.type) {
      case "status":
        await progress(`Status: ${event.status}`);
        break;
      case "tool_start":
        await progress(`Step: ${event.name}`);
        break;
      case "done":
      case "error":
      case "timeout": {
        const { type: status, ...rest } = event;
        const result = { status, ...rest };
        return {
          content: [{ type: "text", text: JSON.stringify(result) }],
          structuredContent: result,
        };
      }
    }
  }
  throw new Error("the stream ended before the build did");
}

// startBuild asks Notte for a build and yields its events. Deltas are not even
// parsed.
async function* startBuild(query, signal) {
  const response = await fetch(`${process.env.NOTTE_ANYTHING_URL}/api/anything/start`, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Authorization: `Bearer ${process.env.NOTTE_API_KEY}`,
    },
    body: JSON.stringify({ query }),
    signal,
  });
  if (!response.ok) {
    throw new Error(`asking Notte for a build: ${response.status}`);
  }
  const decoder = new TextDecoder();
  let unfinished = "";
  for await (const chunk of response.body) {
    const lines = (unfinished + decoder.decode(chunk, { stream: true })).split("\n");
    unfinished = lines.pop();
    for (const line of lines) {
      if (line.startsWith("data: ") && !isDelta(line)) yield JSON.parse(line.slice("data: ".length));
    }
  }
}

function isDelta(line) {
  return line.startsWith('data: {"type":"text_delta"') || line.startsWith('data: {"type":"thinking_delta"');
}

// serveHTTP answers requests at /mcp, each session by a server of its own.
function serveHTTP(host, port) {
  const sessions = new Map();
  const newSession = async () => {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => sessions.set(id, transport),
    });
    await newServer().connect(transport);
    return transport;
  };
  createServer(async (req, res) => {
    const transport = sessions.get(req.headers["mcp-session-id"]) ?? (await newSession());
    await transport.handleRequest(req, res);
  }).listen(port, host);
}

const address = process.argv[2];
if (address === undefined) {
  await newServer().connect(new StdioServerTransport());
} else {
  const { hostname, port } = new URL(`http://${address}`);
  serveHTTP(hostname, Number(port));
}
