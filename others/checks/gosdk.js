// The official Go SDK, over stdio and Streamable HTTP, in both eras.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { root } from "../lib/install.js";
import { serveHTTP, stdio } from "../lib/server.js";

const client = join(process.env.HOME, "gosdk");
execFileSync("go", ["build", "-o", client, "."], { cwd: join(root, "others/gosdk"), stdio: "inherit" });
const server = await serveHTTP();
for (const version of ["2025-11-25", "2026-07-28"]) {
  execFileSync(client, [version, stdio.command, ...stdio.args], { stdio: "inherit" });
  execFileSync(client, [version, server.url], { stdio: "inherit" });
}
await server.close();
