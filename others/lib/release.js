// Where snapshot.js leaves what a release has, and how other checks try it.
import assert from "node:assert/strict";
import { join } from "node:path";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { connect } from "./sdk.js";
import { content, toolNames } from "./story.js";

// clone is a clone of the repository, and packages what "go run ./release" writes.
export const clone = process.env.RELEASE;
export const packages = join(clone, "packages");

// tryStdio starts a server as a host does. It lists the tools, and builds.
export async function tryStdio(config) {
  const client = await connect(new StdioClientTransport({ ...config, stderr: "inherit" }));
  await tryClient(client);
  await client.close();
}

// tryClient lists the tools, and builds.
export async function tryClient(client) {
  const tools = await client.list();
  assert.deepEqual(tools.map((tool) => tool.name), toolNames);
  assert.equal(content(await client.call("build_automation", { query: "fetch posts" })).status, "done");
}
