// Runs a check.
import { execFileSync, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { programs, root } from "./install.js";

// most is how many seconds a check may take unless it says otherwise. Only a failing
// one takes that long.
const most = 300;

// skipped is the exit code of a check that this machine cannot run.
const skipped = 3;

// running has the process groups of the checks that run.
const running = new Set();
process.on("exit", () => running.forEach(end));

function end(group) {
  try {
    process.kill(-group, "SIGKILL");
  } catch {} // all of it has ended
  running.delete(group);
}

// environment is what a check gets: little of this machine's, the empty directory
// home for itself, and the directory work/release to share.
function environment(home, work) {
  return {
    ...JSON.parse(execFileSync("go", ["env", "-json", "GOCACHE", "GOMODCACHE", "GOPROXY", "GOFLAGS"])),
    BINARY: join(work, "anything-mcp"),
    RELEASE: join(work, "release"),
    HOME: home,
    TMPDIR: home,
    PATH: [...programs(), process.env.PATH].join(delimiter),
    TERM: "dumb",
  };
}

// run runs a check of the binary in the directory work. It returns the result: the
// text of the page begins with passes or failed, or it is skipped.
export function run(check, work) {
  const name = [check.file, ...(check.args ?? [])].join(" ");
  const home = join(work, name.replaceAll(/\W+/g, "-"));
  mkdirSync(home);
  const limit = check.seconds ?? most;
  const started = Date.now();
  const output = openSync(`${home}.log`, "w");
  const child = spawn(join(programs()[0], "node"), [join(root, "others/checks", check.file), ...(check.args ?? [])], {
    cwd: home,
    env: environment(home, work),
    detached: true, // a process group of its own, to end all that it has started
    stdio: ["ignore", output, output],
  });
  closeSync(output);
  running.add(child.pid);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    end(child.pid);
  }, limit * 1000);
  return new Promise((resolve) => {
    child.on("exit", (code) => {
      clearTimeout(timer);
      end(child.pid);
      const result = late ? `failed: it took longer than ${limit} s` : ({ 0: "passes", [skipped]: "skipped" }[code] ?? "failed");
      console.log(`${result.padEnd(8)} ${name} (${((Date.now() - started) / 1000).toFixed(1)}s)`);
      if (result !== "passes") console.log(readFileSync(`${home}.log`, "utf8").trimEnd().replaceAll(/^/gm, "    "));
      resolve({ check, result });
    });
  });
}
