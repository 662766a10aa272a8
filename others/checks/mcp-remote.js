// mcp-remote, which gives hosts that speak stdio a server that speaks HTTP: here
// one that asks for a token.
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { connect } from "../lib/sdk.js";
import { serveHTTP } from "../lib/server.js";
import { tell } from "../lib/story.js";

const token = "others-5e1d";
const server = await serveHTTP({ ANYTHING_MCP_AUTH_TOKEN: token });
const args = [server.url, "--transport", "http-only", "--header", "Authorization:${AUTH}"];
const env = { ...process.env, AUTH: `Bearer ${token}` };
const client = await connect(new StdioClientTransport({ command: "mcp-remote", args, env, stderr: "inherit" }));
await tell("mcp-remote", client);
await client.close();
await server.close();
process.exit();
