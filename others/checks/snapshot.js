// GoReleaser makes everything that a release has, in the order of the workflow
// release.yml, from what is committed, and publishes nothing.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { goreleaser, root } from "../lib/install.js";
import { clone, packages } from "../lib/release.js";

const run = (command, ...args) => execFileSync(command, args, { cwd: clone, stdio: "inherit" });
const release = (...args) => run("go", "run", `github.com/goreleaser/goreleaser/v2@v${goreleaser()}`, ...args);
const sha256 = (...path) => createHash("sha256").update(readFileSync(join(clone, ...path))).digest("hex");

execFileSync("git", ["clone", "--quiet", root, clone], { stdio: "inherit" });
run("git", "remote", "set-url", "origin", "https://github.com/anything-mcp/anything-mcp.git");
release("check");
release("build", "--snapshot", "--clean");
run("go", "run", "./release", "-version", "0.1.0");
const bundle = readdirSync(packages).find((name) => name.endsWith(".mcpb"));
const binaries = { "linux-x64": "anything-mcp_linux_amd64_v1", "darwin-arm64": "anything-mcp_darwin_arm64_v8.0" };
const packed = Object.keys(binaries).map((platform) => sha256("packages/npm", platform, "bin/anything-mcp"));

release("release", "--snapshot", "--clean", "--skip=sbom,sign,docker,publish");
const built = Object.values(binaries).map((dir) => sha256("dist", dir, "anything-mcp"));
assert.deepEqual(built, packed, "the second build made other binaries than those in the packages");
const sums = readFileSync(join(clone, "dist/checksums.txt"), "utf8");
assert.match(sums, new RegExp(`^${sha256("packages", bundle)}  ${bundle}$`, "m"));
assert.equal(sums.trim().split("\n").length, 8, "archives for six platforms and for all of macOS, and the bundle");
