// The npm packages, packed by npm and installed without a network in an empty
// directory.
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { packages, tryStdio } from "../lib/release.js";

const packed = join(process.env.HOME, "packed");
const empty = join(process.env.HOME, "empty");
for (const dir of [packed, empty]) mkdirSync(dir);
const npm = (cwd, ...args) => execFileSync("npm", args, { cwd, stdio: "inherit" });
for (const name of ["anything-mcp", `${process.platform}-${process.arch}`]) {
  npm(join(packages, "npm", name), "pack", "--pack-destination", packed);
}
npm(empty, "install", "--offline", "--ignore-scripts", ...readdirSync(packed).map((file) => join(packed, file)));

const { PATH, HOME } = process.env;
await tryStdio({ command: "npx", args: ["--offline", "anything-mcp", "--sandbox"], cwd: empty, env: { PATH, HOME } });
