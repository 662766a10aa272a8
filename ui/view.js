// What is shown of a job.
const sentences = {
  lost: () => "Lost contact, trying again.",
  alone: () => "This chat does not let the page ask the server: it shows the result as it was given.",
  absent: () => "No build of this task is known yet. " + advice.gone,
  detached: () => (running() || !view.job) && `The assistant no longer waits. The ${view.kind} goes on and is followed here.`,
  joined: () => "Nothing was billed for this call: the build existed already.",
  unlinked: () => "The link could not be opened.",
  unsaved: () => "The file could not be saved.",
  unsent: () => "The chat did not take the message.",
  unstopped: () => "It could not be stopped. " + advice.unstopped,
};

// notices returns what a reader has to know, and first what Notte says of a failure.
function notices(s) {
  const job = view.job ?? {}, made = isID(job.function_id), all = [lines(view.gone, 500)];
  const say = (when, text) => when && all.push(text);
  say(s === "error", view.said);
  if (view.kind === "build") {
    for (const name of ["error", "detail", "reason"]) say(/error|timeout|cancelled/.test(s), lines(job[name], 1000));
    say(/error|timeout/.test(s) && made, "A function was saved before that. It may not work: check what it returns.");
    say(s === "cancelled", "The build was ended. Notte may still bill it.");
    say(s === "interrupted", "How the build ended is not known. Notte may still finish and bill it.");
    say(s === "done" && !made && !list(job.candidates).length, "No function was made, so there is nothing to run again.");
    say(s === "done", line(job.warning, 500));
    say(running() && job.detached === true, "Notte goes on with the build by itself and reports no steps.");
  } else say(s === "interrupted", "How the run ended is not known. It may have acted on the world.");
  for (const key of view.notes) all.push(sentences[key]());
  say(job.durable === false, "Kept in memory only: it is lost when the server ends.");
  return all.filter(Boolean);
}

function render() {
  const s = state(), job = view.job, build = view.kind === "build";
  if (main.dataset.state !== s) main.dataset.state = s;
  put($("state"), s === "running" && !build ? "Running" : states[s]);
  renderFacts(s);
  const name = build ? lines(view.query, 500) : line(view.fn?.name ?? view.target, 120);
  if (name) put(part("query"), name);
  $("simulated").hidden = !view.simulated;
  const all = notices(s);
  if (changed(part("notice"), all.join("\n"))) {
    part("notice").replaceChildren(...all.map((text, i) => foreign("p", text, i === 0 && build && /error|timeout/.test(s) && "error")));
    part("notice").hidden = !all.length;
  }
  put(part("answer"), s !== "running" && build ? lines(job?.answer, 20000) : "");
  renderCandidates();
  renderSteps(s);
  renderRun();
  renderActions(s);
  if (!build && view.end && view.fn && part("function").hidden) openFunction(view.fn.function_id);
  announce(all);
}

function renderFacts(s) {
  const { job } = view;
  $("time").hidden = !job;
  $("price").hidden = !job || view.kind === "run";
  if (!job) return;
  put(part("elapsed"), clock(elapsed(job, view.at)));
  put(part("cost"), s === "running" ? "known at the end" : dollars(job.total_cost_usd));
}

const few = 6; // steps that are shown unasked

// What is shown of an entry of the log, by its type. Others show nothing: the end has a
// place of its own.
const shows = {
  status: (text) => !/^(step \d+)?$/.test(text) && "Status: " + text,
  tool_start: (text) => "Using " + (text || "a tool"),
  function_uploaded: (text) => "Function saved: " + text,
  notte_session_data: () => "The browser can be watched",
  thinking: String,
  text: String,
};

// steps returns what there is to show of the log. Thoughts that came in pieces are one.
function steps() {
  const all = [];
  for (const { type, at, text } of view.entries) {
    const before = all.at(-1);
    if (before?.type === type && /^(thinking|text)$/.test(type)) before.text = (before.text + text).slice(0, 2000);
    else if (Object.hasOwn(shows, type)) all.push({ type, at: number(at), text: String(text ?? "").slice(0, 2000) });
  }
  return all.map((e) => ({ ...e, text: line(shows[e.type](e.text) || "", 2000) })).filter((e) => e.text);
}

function renderSteps(s) {
  const all = view.kind === "build" ? steps() : [], newest = all.at(-1)?.text ?? "The agent is getting ready";
  put(part("now"), s !== "running" || view.kind === "run" ? "" : newest.length > 160 ? "…" + newest.slice(-150).replace(/^\S*\s/, "") : newest);
  $("work").hidden = !all.length;
  $("all").hidden = all.length <= few;
  put($("all"), all.length <= few ? "" : view.all ? "Show the newest steps" : `Show all ${all.length} steps`);
  $("all").setAttribute("aria-expanded", view.all);
  if (!changed($("steps"), `${view.all} ${all.length} ${all.at(-1)?.text}`)) return;
  $("steps").className = view.all ? "all" : "";
  $("steps").replaceChildren(...(view.all ? all : all.slice(-few)).map((e) => make("li", { class: e.type }, make("time", {}, clock(e.at)), foreign("span", e.text))));
}

press($("all"), () => {
  view.all = !view.all;
  render();
});

function renderCandidates() {
  const { job } = view, all = view.end && !isID(job?.function_id) ? list(job?.candidates).filter((c) => isID(c?.function_id)).slice(0, 10) : [];
  const box = part("candidates");
  box.hidden = !all.length;
  if (!changed(box, all.map((c) => c.function_id).join())) return;
  box.querySelector("ul").replaceChildren(...all.map((c) => {
    const name = line(c.name, 60) || c.function_id, open = make("button", { type: "button" }, `Open ${name}`);
    press(open, () => openFunction(c.function_id, name));
    return make("li", {}, foreign("span", name), make("time", {}, date(c.created_at, context)), open);
  }));
}

// link returns the URL of a page that may be opened, or "".
function link(value) {
  const url = URL.canParse(value) && new URL(value);
  return can.openLinks && url && /^https?:$/.test(url.protocol) ? url.href : "";
}

let stopping = ""; // "", "asks" or "sent"

// stoppable returns the arguments that stop what runs, or nothing.
function stoppable() {
  const { run, kind, id } = view;
  if (!can.serverTools) return null;
  if (run?.status === "running" && isID(run.run_id)) return { run_id: run.run_id };
  return running() && kind === "build" && isID(id) ? { build_id: id } : null;
}

function renderActions(s) {
  const target = stoppable(), focused = document.activeElement;
  if (!target) stopping = "";
  $("watch").hidden = s !== "running" || stopping === "asks" || !link(view.job.viewer_url);
  $("stop").hidden = !target || stopping === "asks";
  $("stop").setAttribute("aria-disabled", stopping === "sent");
  $("confirm").hidden = stopping !== "asks";
  put($("sure"), target?.run_id ? "Stop the run? What it has done stays done." : "Stop the build? What it has cost is spent.");
  put($("really"), target?.run_id ? "Stop the run" : "Stop the build");
  // What had the focus may be gone: the focus then goes to what has come of it.
  if (focused !== document.body && focused && !focused.checkVisibility()) $(view.run && view.kind === "build" ? "verdict" : "state").focus();
}

press($("stop"), () => {
  if (stopping) return;
  stopping = "asks";
  render();
  $("keep").focus();
});

function keep() {
  stopping = "";
  render();
  $("stop").focus();
}
press($("keep"), keep);
$("confirm").addEventListener("keydown", (event) => event.key === "Escape" && keep());

press($("really"), async () => {
  const target = stoppable();
  stopping = "sent";
  view.notes.delete("unstopped");
  render();
  $("stop").focus();
  const result = await tool(target.run_id ? "cancel_run" : "cancel_build", target).catch(() => ({ isError: true }));
  if (result.isError && !content(result).status) {
    stopping = "";
    view.notes.add("unstopped");
  }
  render();
});

// attempt asks the host for something, and has the page say so if it refuses.
async function attempt(note, method, params) {
  view.notes.delete(note);
  if (!(await ask(method, params))) view.notes.add(note);
  render();
}
press($("watch"), () => attempt("unlinked", "ui/open-link", { url: link(view.job.viewer_url) }));

const ticking = setInterval(() => {
  if (!seen() || closed()) return;
  if (running()) renderFacts("running");
  if (view.kind === "build" && view.run?.status === "running") put($("verdict"), timed(view.run));
}, 1000);
closing.signal.addEventListener("abort", () => clearInterval(ticking));

// announce tells readers who do not see the page what is new, every five seconds at
// most.
let spoken = -5000, pending = "", speaking = 0;
function announce(all) {
  const run = view.kind === "build" && view.run ? verdict(view.run) + "." : "", now = part("now");
  const text = [$("state").textContent.replace("…", "") + ".", run, now.hidden ? all[0] : now.textContent].filter(Boolean).join(" ");
  if (text === pending || closed()) return;
  pending = text;
  speaking ||= setTimeout(() => {
    speaking = 0;
    spoken = Date.now();
    $("live").textContent = pending;
  }, spoken + 5000 - Date.now());
}
