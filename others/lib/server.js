// Starts the program under test, on the sandbox.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";

// binary is the program under test, by its absolute path.
export const binary = process.env.BINARY;

// flags have the program use the sandbox. A build takes six seconds there, and a
// fifth of it at this speed.
export const flags = ["--sandbox", "--sandbox-speed", "5"];

// stdio is what a host starts.
export const stdio = { command: binary, args: ["stdio", ...flags] };

// serveHTTP starts the program as a server on a free port, with more flags if wanted.
export async function serveHTTP(env = {}, ...more) {
  const args = ["http", "--addr", "127.0.0.1:0", "--log-format", "json", ...flags, ...more];
  const child = spawn(binary, args, { env: { ...process.env, ...env }, stdio: ["ignore", "ignore", "pipe"] });
  const ended = new Promise((resolve) => child.once("close", resolve));
  const url = await new Promise((resolve, reject) => {
    const log = [];
    createInterface(child.stderr).on("line", (line) => {
      log.push(line);
      const { url } = JSON.parse(line);
      if (url) resolve(url);
    });
    ended.then(() => reject(new Error(`the server ended at once:\n${log.join("\n")}`)));
  });
  return {
    url,
    close() {
      child.kill("SIGTERM");
      return ended;
    },
  };
}

// freePort returns a port that nothing listens on.
export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  return port;
}
