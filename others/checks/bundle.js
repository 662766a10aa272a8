// The MCP bundle: the official tool validates and unpacks it, and says how a host
// starts it, as one does for a user who has entered no key and chosen the sandbox.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { getMcpConfigForManifest } from "@anthropic-ai/mcpb";
import { packages, tryStdio } from "../lib/release.js";

const bundle = readdirSync(packages).find((name) => name.endsWith(".mcpb"));
const dir = join(process.env.HOME, "unpacked");
const mcpb = (...args) => execFileSync("mcpb", args, { stdio: "inherit" });
mcpb("unpack", join(packages, bundle), dir);
mcpb("validate", dir);

const config = await getMcpConfigForManifest({
  manifest: JSON.parse(readFileSync(join(dir, "manifest.json"))),
  extensionPath: dir,
  systemDirs: { HOME: process.env.HOME },
  userConfig: { sandbox: true },
  pathSeparator: "/",
});
await tryStdio({ ...config, env: { ...config.env, HOME: process.env.HOME } });
