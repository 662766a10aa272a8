// The image without a container engine: its files under a bare root that cannot be
// written, its environment, its user and its commands, as the Dockerfile says.
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { DockerfileParser } from "dockerfile-ast";
import { packages, tryClient, tryStdio } from "../lib/release.js";
import { connect } from "../lib/sdk.js";
import { freePort } from "../lib/server.js";

if (spawnSync("unshare", ["--mount", "chroot", "/", "true"]).status !== 0) {
  console.log("this machine does not let us make a root directory of our own");
  process.exit(3);
}

const file = DockerfileParser.parse(readFileSync(join(process.env.RELEASE, "release/container/Dockerfile"), "utf8"));
const words = (instruction) => instruction.getJSONStrings().map((word) => word.getJSONValue());
const user = file.getInstructions().find((i) => i.getKeyword() === "USER").getArguments()[0].getValue();
const health = JSON.parse(file.getHEALTHCHECKs()[0].getRawArgumentsContent().replace(/^CMD /, ""));
const env = Object.fromEntries(file.getENVs().flatMap((e) => e.getProperties()).map((p) => [p.getName(), p.getValue()]));
const entry = words(file.getENTRYPOINTs()[0]);

// It has the files that are copied below and no others, and its user is not root. The
// registry compares the label with server.json.
const stage = file.getFROMs().at(-1);
assert.equal(stage.getImage(), "scratch");
const copied = file.getCOPYs().filter((copy) => copy.getRange().start.line > stage.getRange().start.line);
assert.deepEqual(copied.map((copy) => copy.getArguments().at(-1).getValue()), ["/etc/ssl/certs/", "/state", "/anything-mcp"]);
assert.match(user, /^[1-9]\d*:[1-9]\d*$/);
const { name } = JSON.parse(readFileSync(join(packages, "server.json"), "utf8"));
const label = file.getInstructions().find((i) => i.getKeyword() === "LABEL");
assert.ok(label.getProperties().some((p) => p.getName() === "io.modelcontextprotocol.server.name" && p.getValue() === name));

const bare = join(process.env.HOME, "root");
for (const dir of ["etc/ssl/certs", "state"]) mkdirSync(join(bare, dir), { recursive: true });
copyFileSync("/etc/ssl/certs/ca-certificates.crt", join(bare, "etc/ssl/certs/ca-certificates.crt"));
copyFileSync(join(packages, "npm", `${process.platform}-${process.arch}`, "bin/anything-mcp"), join(bare, "anything-mcp"));

// inside returns the command that runs another in the image.
const mount = `mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && mount -t tmpfs -o uid=\${2%:*},gid=\${2#*:},mode=0700 tmpfs "$1/state"`;
const inside = (...command) => ["unshare", "--mount", "sh", "-ec", `${mount}; root=$1 user=$2; shift 2; exec chroot --userspec="$user" "$root" "$@"`, "sh", bare, user, ...command];

// It refuses to serve the network without a token.
const [command, ...args] = inside(...entry, ...words(file.getCMDs()[0]));
const refused = spawnSync(command, args, { env: { ...env, ANYTHING_MCP_SANDBOX: "true" }, encoding: "utf8" });
assert.equal(refused.status, 2, refused.stderr);

// It serves HTTP, and the image's health check says so.
const token = "others-77aa";
const port = await freePort();
const serving = { ...env, ANYTHING_MCP_ADDR: `0.0.0.0:${port}`, ANYTHING_MCP_AUTH_TOKEN: token, ANYTHING_MCP_SANDBOX: "true" };
const server = spawn(command, args, { env: serving, stdio: "inherit" });
const [probe, ...probeArgs] = inside(...health);
const healthy = () => spawnSync(probe, probeArgs, { env: serving, stdio: "inherit" }).status === 0;
while (!healthy() && server.exitCode === null) await sleep(200);
const headers = { Authorization: `Bearer ${token}` };
const client = await connect(new StreamableHTTPClientTransport(new URL(`http://127.0.0.1:${port}/mcp`), { requestInit: { headers } }));
await tryClient(client);
await client.close();
server.kill("SIGTERM");

// It serves stdio, as server.json has hosts start it.
const [stdio, ...stdioArgs] = inside(...entry, "stdio");
await tryStdio({ command: stdio, args: stdioArgs, env: { ...env, ANYTHING_MCP_SANDBOX: "true" } });
process.exit();
