// Texts and elements. All texts come from elsewhere: they are cleaned, bounded and
// shown as text.
const $ = (id) => document.getElementById(id);
const part = (name) => document.querySelector(`[data-part=${name}]`);
const main = document.querySelector("main");

// unseen matches what reorders text, hides in it or controls a terminal: controls,
// bidi marks, zero-width spaces and tags.
const unseen = /[\0-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e0fff}]/gu;

// lines returns a text as it can be shown, of at most max characters.
function lines(value, max = 4000) {
  const s = String(value ?? "").slice(0, 4 * max).replace(/\r\n?/g, "\n").replace(unseen, "")
    .replace(/(\p{M}{3})\p{M}+/gu, "$1").replace(/\n{3,}/g, "\n\n").trim();
  return s.length > max ? s.slice(0, max - 1).replace(/[\ud800-\udbff]$/, "") + "…" : s;
}
const line = (value, max = 200) => lines(String(value ?? "").slice(0, 4 * max).replace(/\s+/g, " "), max);

const isID = (value) => typeof value === "string" && /^[\w-]{1,128}$/.test(value);
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const list = (value) => (Array.isArray(value) ? value : []);
const number = (value) => (Number.isFinite(value) ? Math.max(0, value) : 0);
const dollars = (usd) => (Number.isFinite(usd) ? "$" + usd.toFixed(usd > 0 && usd < 0.01 ? 4 : 2) : "not known");

function clock(seconds) {
  const s = Math.floor(seconds), two = (n) => String(Math.floor(n) % 60).padStart(2, "0");
  return (s < 3600 ? Math.floor(s / 60) : Math.floor(s / 3600) + ":" + two(s / 60)) + ":" + two(s);
}

function date(value, { locale, timeZone }) {
  try {
    return new Date(value).toLocaleString(locale, { dateStyle: "medium", timeStyle: "short", timeZone });
  } catch {
    return ""; // not a date, or the host's locale or zone is none
  }
}

// put shows a text in an element, or hides the element if there is none.
function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
  element.hidden = text === "";
}

// changed reports whether an element shows something else than what key stands for,
// and notes that it does now.
const changed = (element, key) => element.shown !== (element.shown = key);

function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const name in attributes) if (attributes[name] !== false) element.setAttribute(name, attributes[name]);
  element.append(...children);
  return element;
}
const foreign = (tag, text, className = false) => make(tag, { dir: "auto", class: className }, text);

const press = (button, act) => button.addEventListener("click", act);
