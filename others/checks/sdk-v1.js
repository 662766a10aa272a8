// The TypeScript SDK v1, over stdio and Streamable HTTP.
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { connect } from "../lib/sdk.js";
import { serveHTTP, stdio } from "../lib/server.js";
import { tell } from "../lib/story.js";

const local = await connect(new StdioClientTransport({ ...stdio, env: process.env, stderr: "ignore" }));
await tell("stdio", local);
await local.close();

const server = await serveHTTP();
const transport = new StreamableHTTPClientTransport(new URL(server.url));
const remote = await connect(transport);
await tell("HTTP", remote);
await transport.terminateSession();
await remote.close();
await server.close();
