// Following a job: one call after another, a second apart, while the page is seen.
let following = {}; // what is followed now: another value ends the loop before
let last = 0; // when a call of the loop ended
const seen = () => !document.hidden && document.visibilityState !== "hidden";

// turn waits for ms, and until the page is seen. A page that is seen again does not
// wait longer than a second after the last call.
const turn = (ms) => new Promise((resolve) => {
  let timer, due = false;
  const go = () => {
    if (!due || !seen() || closed()) return;
    document.removeEventListener("visibilitychange", look);
    resolve();
  };
  const arm = (delay) => {
    clearTimeout(timer);
    timer = setTimeout(() => ((due = true), go()), delay);
  };
  const look = () => seen() && arm(last + 1000 - Date.now());
  document.addEventListener("visibilitychange", look);
  arm(ms);
});

// follow asks what is new of a job. show takes each answer with its job, if there is
// one yet, and reports whether it has used them. lose is told why there is no job.
async function follow(target, show, lose) {
  const me = (following = {});
  let after = 0, wait = 0, failures = 0;
  await turn(last + 1000 - Date.now());
  while (following === me) {
    const result = await tool("follow_job", { ...target, after, wait_seconds: wait }).catch(() => ({}));
    last = Date.now();
    if (following !== me || closed()) return;
    const answer = content(result), job = isObject(answer.job) ? answer.job : null;
    if (job || answer.entries) {
      failures = 0;
      wait = 15;
      view.notes.delete("lost");
      if (show(job, answer)) {
        after = number(answer.next);
        if (target.query) target = { job_id: job.build_id };
        if (job.status !== "running" && !answer.more) return;
      }
      await turn(1000);
    } else if (/^(job|build|run)_id /.test(words(result))) {
      following = {};
      return lose(words(result));
    } else {
      view.notes.add("lost");
      render();
      await turn(Math.min(30, 2 ** failures++) * 1000);
    }
  }
}

function close() {
  following = {};
  closing.abort();
}
port.on("ui/resource-teardown", close);
window.addEventListener("pagehide", close);
