#!/usr/bin/env node
// Starts the binary of this platform's package, with the same arguments and
// streams, and ends as the binary ends.
"use strict";

const { spawn } = require("node:child_process");
const os = require("node:os");

const platform = `${process.platform}-${process.arch}`;
const name = `@anything-mcp/${platform}`;
const file = process.platform === "win32" ? "anything-mcp.exe" : "anything-mcp";

let binary;
try {
  binary = require.resolve(`${name}/bin/${file}`);
} catch {
  console.error(
    `anything-mcp: the package ${name} is not installed. Either there is no binary for ${platform}, ` +
      "or npm was told to leave out optional dependencies: install again without --omit=optional.",
  );
  process.exit(1);
}

const child = spawn(binary, process.argv.slice(2), { stdio: "inherit" });

// The terminal sends Ctrl-C to the binary too. Other programs signal this process only.
for (const signal of ["SIGTERM", "SIGHUP"]) {
  process.on(signal, () => child.kill(signal));
}
process.on("SIGINT", () => {
  if (!process.stdin.isTTY) child.kill("SIGINT");
});
child.on("error", (err) => {
  console.error(`anything-mcp: could not start ${binary}: ${err.message}`);
  process.exit(1);
});
child.on("exit", (code, signal) => {
  process.exit(signal ? 128 + os.constants.signals[signal] : code);
});
