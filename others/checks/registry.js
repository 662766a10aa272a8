// server.json by the rules of the MCP registry.
//
//   node registry.js [snapshot]
//
// With snapshot, it is the file that a release would publish.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { root } from "../lib/install.js";

const dir = process.argv[2] ? join(process.env.RELEASE, "packages") : root;
execFileSync("go", ["run", ".", join(dir, "server.json")], { cwd: join(root, "others/registry"), stdio: "inherit" });
