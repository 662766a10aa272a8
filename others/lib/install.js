// Installs the pinned packages.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

// root is the directory of the repository.
export const root = fileURLToPath(new URL("../..", import.meta.url));

const others = join(root, "others");

// chat is the directory of the example that needs packages.
export const chat = join(root, "examples/chat");

// install installs the packages of the checks and of the example, unless they are there.
export function install() {
  // Claude Code's script puts its binary where the command is.
  const claude = join(others, "node_modules/@anthropic-ai/claude-code/install.cjs");
  installIn(others, () => execFileSync(process.execPath, [claude], { stdio: "inherit" }));
  installIn(chat);
}

// installIn installs what a directory's package-lock.json says, unless that is there.
function installIn(dir, after = () => {}) {
  const lock = readFileSync(join(dir, "package-lock.json"));
  const installed = join(dir, "node_modules/.installed");
  if (existsSync(installed) && readFileSync(installed).equals(lock)) return;
  const { status } = spawnSync("npm", ["ci", "--ignore-scripts", "--loglevel=error"], { cwd: dir, stdio: "inherit" });
  if (status !== 0) throw new Error(`could not install the packages of ${dir}`);
  after();
  writeFileSync(installed, lock);
}

// version returns the version of a package in the package-lock.json of a directory.
export function version(name, dir = others) {
  const { packages } = JSON.parse(readFileSync(join(dir, "package-lock.json")));
  return packages[`node_modules/${name}`].version;
}

// goVersion returns the version of a module that a directory's go.mod requires.
export function goVersion(dir, module) {
  const required = readFileSync(join(root, dir, "go.mod"), "utf8").match(new RegExp(`${module} v(\\S+)`));
  return required[1];
}

// goreleaser returns the version of GoReleaser that the workflow release.yml runs.
export function goreleaser() {
  return readFileSync(join(root, ".github/workflows/release.yml"), "utf8").match(/version: v(\d\S+)/)[1];
}

// actionlint is the version of the linter for workflows.
export const actionlint = "1.7.12";

// programs returns the directories of the programs that checks start, Node.js
// first: the pinned one, or the machine's own where npm has none for it.
export function programs() {
  const pinned = join(others, `node_modules/node-${process.platform}-${process.arch}/bin`);
  return [
    existsSync(pinned) ? pinned : dirname(process.execPath),
    join(others, "node_modules/.bin"),
    join(others, `node_modules/opencode-${process.platform}-${process.arch}/bin`),
  ];
}
