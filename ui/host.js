// The host: what it can do, how it looks, and calls of the server's tools through it.
let can = {}; // its capabilities
let context = {}; // what it says of itself
let connected = false;
const closing = new AbortController(); // ends what is under way when the page goes
const closed = () => closing.signal.aborted;

// tool calls a tool of the server. It sends no progress token.
const tool = async (name, args) => (await port.call("tools/call", { name, arguments: args }, closing.signal)) ?? {};

// ask sends a request that the host may refuse, and reports whether it did not.
const ask = (method, params) => port.call(method, params, closing.signal).then((result) => !result?.isError, () => false);

const words = (result) => lines(list(result?.content).map((c) => (c?.type === "text" ? c.text : "")).join("\n"));

// content returns the structured content of a result, which its text holds too.
function content(result) {
  if (isObject(result?.structuredContent)) return result.structuredContent;
  try {
    const parsed = JSON.parse(list(result?.content).find((c) => c?.type === "text").text);
    if (isObject(parsed)) return parsed;
  } catch {} // it is a sentence, or nothing
  return {};
}

const colours = ["background-primary", "background-secondary", "text-primary", "text-secondary", "border-primary"].map((name) => "--color-" + name);
const shapes = ["--font-sans", "--font-mono", "--border-radius-md", "--border-radius-lg"];

// dress takes over the theme and the variables of the host. Its colours are left out
// if texts could not be read in them.
function dress() {
  const { dataset, style } = document.documentElement, given = context.styles?.variables ?? {};
  if (["light", "dark"].includes(context.theme)) dataset.theme = context.theme;
  for (const name of [...colours, ...shapes]) {
    const value = String(given[name] ?? "");
    style.setProperty(name, value.length < 500 && !/url/i.test(value) ? value : "");
  }
  if (!legible()) colours.forEach((name) => style.removeProperty(name));
  const insets = context.safeAreaInsets ?? {};
  style.setProperty("--inset", ["top", "right", "bottom", "left"].map((side) => number(insets[side]) + "px").join(" "));
  $("home").hidden = !context.home;
}

// legible reports whether texts stand out from what is behind them, as WCAG AA asks. A
// colour that cannot be computed counts as fine.
function legible() {
  const probe = make("i", {});
  main.append(probe);
  const light = (name) => {
    probe.style.color = `var(${name})`;
    const [r, g, b] = (getComputedStyle(probe).color.match(/^rgb\((.*)\)/)?.[1].split(",") ?? [])
      .map((n) => (n / 255 <= 0.04045 ? n / 255 / 12.92 : ((n / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
  };
  const texts = ["--ink", "--soft"].map(light), fine = ["--paper", "--panel"].map(light)
    .every((behind) => texts.every((text) => !(Math.max(text, behind) / Math.min(text, behind) < 4.5)));
  probe.remove();
  return fine;
}

// The host learns the page's size whenever it has changed.
let size = "", measuring = 0;
new ResizeObserver(() => {
  main.classList.toggle("narrow", innerWidth < 480);
  measuring ||= setTimeout(tellSize, 50);
}).observe(main);

function tellSize() {
  measuring = 0;
  if (!connected || closed()) return;
  const height = Math.ceil(document.body.getBoundingClientRect().height), width = document.documentElement.clientWidth;
  if (size !== (size = `${width} ${height}`)) port.tell("ui/notifications/size-changed", { width, height });
}
