// The npm packages, packed by npm and installed without a network: in an empty
// directory, and for all of the user's.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { packages, tryStdio } from "../lib/release.js";

const packed = join(process.env.HOME, "packed");
const empty = join(process.env.HOME, "empty");
for (const dir of [packed, empty]) mkdirSync(dir);
const npm = (cwd, ...args) => execFileSync("npm", args, { cwd, stdio: "inherit" });
for (const name of ["anything-mcp", `${process.platform}-${process.arch}`]) {
  npm(join(packages, "npm", name), "pack", "--pack-destination", packed);
}
const files = readdirSync(packed).map((file) => join(packed, file));
const install = ["install", "--offline", "--ignore-scripts"];
npm(empty, ...install, ...files);
const prefix = join(process.env.HOME, "prefix");
npm(empty, ...install, "--global", "--prefix", prefix, ...files);

const { PATH, HOME } = process.env;
await tryStdio({ command: "npx", args: ["--offline", "anything-mcp", "--sandbox"], cwd: empty, env: { PATH, HOME } });
await tryStdio({ command: join(prefix, "bin/anything-mcp"), args: ["--sandbox"], cwd: empty, env: { PATH, HOME } });

// What it writes into a host's file is the binary, which needs no Node.js.
execFileSync(join(prefix, "bin/anything-mcp"), ["install", "--sandbox", "cursor"], { stdio: "inherit" });
const { command, args } = JSON.parse(readFileSync(join(HOME, ".cursor/mcp.json"), "utf8")).mcpServers.anything;
await tryStdio({ command, args, env: { HOME } });
