// Linters for the workflows and the image's file.
import { execFileSync } from "node:child_process";
import { actionlint, root } from "../lib/install.js";

const run = (command, ...args) => execFileSync(command, args, { cwd: root, stdio: "inherit" });
run("go", "run", `github.com/rhysd/actionlint/cmd/actionlint@v${actionlint}`, "-shellcheck=", "-pyflakes=");
run("dockerfile-utils", "lint", "release/container/Dockerfile");
