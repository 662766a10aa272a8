// The build monitor: it follows one build or run, shows what is known of it, and lets
// its reader watch it, stop it, and run the function that it made.
const view = {
  kind: "build",
  query: "", // as far as the host or the server has said
  awaited: true, // the result of the assistant's call is still to come
  fresh: false, // the call starts a build of its own: an earlier one of the query is not it
  id: "", // of the job
  job: null, // as the server described it last
  at: 0, // when that was
  entries: [], // of the job's log
  end: false, // the job has ended, and all of it is here
  notes: new Set(), // keys of sentences
  said: "", // why a call was refused
  gone: "", // why nothing can be shown
  simulated: false,
  target: "", // the function that is open
  fn: null, // what get_function said of it
  run: null, // the run that was started here, or the page's own
  runs: [], // what was run from here
  all: false, // show all steps
};

const states = { waiting: "Starting…", running: "Building", done: "Done", error: "Failed", timeout: "Ran out of time", cancelled: "Stopped", interrupted: "The end is not known", gone: "Nothing to show" };

function state() {
  const { job, kind } = view;
  if (view.gone) return "gone";
  if (!job) return view.said ? "error" : "waiting";
  const s = kind === "build" ? job.status : { closed: "done", failed: "error" }[statusOf(job)] ?? job.status;
  return Object.hasOwn(states, s) ? s : "interrupted";
}

const running = () => state() === "running";

// elapsed returns the seconds since a job's start, with those since it was described.
const elapsed = (job, at) => number(job.elapsed_seconds) + (job.status === "running" ? (Date.now() - at) / 1000 : 0);

function lose(why) {
  view.gone = why;
  render();
}

// followJob follows the job of the page, by its ID or else by its query.
function followJob() {
  if (!can.serverTools) return;
  let missed = 0, first = true;
  follow(view.id ? { job_id: view.id } : { query: view.query }, (job, answer) => {
    const other = !job || (view.fresh && view.awaited && !view.id && job.status !== "running");
    if (other) {
      if (!view.awaited && !job) {
        following = {};
        view.gone = "Nothing is known of this build any more. " + advice.gone;
      } else if (++missed === 3) view.notes.add("absent");
      render();
      return false;
    }
    view.notes.delete("absent");
    view.gone = "";
    if (first) view.entries = [];
    first = false;
    view.entries.push(...list(answer.entries).filter(isObject));
    view.simulated ||= answer.simulated === true;
    see(job);
    if (job.status !== "running" && !answer.more) ended();
    render();
    return true;
  }, () => lose(`Nothing is known of this ${view.kind} any more. ${advice.gone}`));
}

// see notes how the job of the page stands.
function see(job) {
  view.kind = isID(job.run_id) ? "run" : "build";
  view.id = job.run_id ?? job.build_id;
  view.job = { ...view.job, ...job };
  view.at = Date.now();
  if (view.kind === "run") view.run = { ...view.run, ...job, at: view.at };
  else view.query = lines(job.query, 500) || view.query;
}

// ended is called once the job has ended and all of it is here.
function ended() {
  if (view.end) return;
  view.end = true;
  tellModel();
  if (isID(view.job.function_id)) openFunction(view.job.function_id);
}

// buildCall reports whether the page may belong to a call of build_automation.
function buildCall() {
  const name = context.toolInfo?.tool?.name;
  return typeof name !== "string" || name.endsWith("build_automation");
}

port.on("ui/notifications/tool-input-partial", ({ arguments: args }) => {
  if (!view.query && !view.job && typeof args?.query === "string" && buildCall()) put(part("query"), lines(args.query, 500));
});

port.on("ui/notifications/tool-input", ({ arguments: args }) => {
  if (!isObject(args) || view.id) return;
  if (typeof args.query === "string" && args.query && !args.function_id && buildCall()) {
    Object.assign(view, { query: args.query, fresh: args.force_new === true || isID(args.continue_build), gone: "" });
    followJob();
  } else {
    view.kind = "run";
    if (isID(args.function_id)) title(args.function_id);
  }
  render();
});

port.on("ui/notifications/tool-result", (result) => {
  const job = content(result), id = job.build_id ?? job.run_id, why = words(result);
  view.awaited = false;
  if (job.joined === true) view.notes.add("joined");
  if (isID(id)) {
    const known = view.id === id;
    if (!known) Object.assign(view, { id, kind: job.run_id ? "run" : "build", job: null, entries: [], gone: "", said: "" });
    if (job.status && !view.end) see(job);
    if (!can.serverTools) withoutServer();
    else if (!known) followJob();
    if (view.kind === "run" && isID(job.function_id)) title(job.function_id);
  } else if (result?.isError && why) refused(why);
  else if (!view.job && !(view.query && can.serverTools)) view.gone = "This panel no longer knows what it showed. " + advice.gone;
  render();
});

port.on("ui/notifications/tool-cancelled", () => {
  view.awaited = false;
  view.notes.add("detached");
  if (!view.id && !view.query) view.gone = "The call was cancelled before anything was known of it. " + advice.gone;
  render();
});

// refused shows why a call was refused. If a build of the query runs all the same, the
// host has given up on the call, and the build is followed on.
async function refused(why) {
  if (running()) view.notes.add("detached");
  else if (!view.job) {
    view.said = why;
    if (!view.query || !can.serverTools) return;
    following = {};
    const me = following, { job } = content(await tool("follow_job", { query: view.query, after: 0, wait_seconds: 0 }).catch(() => {}));
    last = Date.now();
    if (job?.status !== "running" || following !== me) return;
    view.said = "";
    view.notes.add("detached");
    followJob();
  }
}

// withoutServer shows the result that was given, because nothing else can be had.
function withoutServer() {
  view.notes.add("alone");
  if (view.job && !running()) ended();
}

// title has a run's page say which function runs.
async function title(id) {
  view.target = id;
  if (can.serverTools) view.fn ??= await describe(id);
  render();
}

port.on("ui/notifications/host-context-changed", (changes) => {
  context = { ...context, ...changes };
  dress();
});

// tellModel tells the model how things stand, without a word from the web.
function tellModel() {
  if (!can.updateModelContext) return;
  const { job, run, kind } = view, facts = { status: line(job.status, 20) };
  for (const name of ["build_id", "run_id", "function_id"]) if (isID(job[name])) facts[name] = job[name];
  if (kind === "build") facts.total_cost_usd = Number.isFinite(job.total_cost_usd) ? job.total_cost_usd : null;
  if (view.runs.length) facts.run_from_page = view.runs.slice(-20);
  if (view.runs.length && run) facts.last_run = { run_id: run.run_id, function_id: view.target, status: statusOf(run) };
  const params = { content: [{ type: "text", text: `The build monitor shows the user: ${JSON.stringify(facts)}` }] };
  const takes = Object.keys(can.updateModelContext);
  if (!takes.length || takes.includes("structuredContent")) params.structuredContent = facts;
  ask("ui/update-model-context", params);
}

async function begin() {
  render();
  try {
    const hello = await port.call("ui/initialize", {
      protocolVersion: "2026-01-26", appInfo: { name: "anything-mcp-monitor", version: "1" },
      appCapabilities: { availableDisplayModes: ["inline", "fullscreen"] },
    }, closing.signal);
    can = hello?.hostCapabilities ?? {};
    context = { ...hello?.hostContext, ...context };
  } catch (err) {
    return lose(line(err.message));
  }
  dress();
  connected = true;
  port.tell("ui/notifications/initialized");
  tellSize();
  setTimeout(() => {
    if (state() === "waiting" && view.kind === "build" && !view.query) lose("The chat has not said what this panel is for. " + advice.gone);
  }, 20000);
}

begin();
