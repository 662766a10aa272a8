// A function and the form of its variables.
const form = document.querySelector("form");
const secret = /key|token|secret|pass(?:_?w|_?phrase|_?code|$)|pwd|credential|auth|cookie/i; // as in functions/variable.go
const kinds = { integer: "whole number", number: "number", boolean: "yes or no", array: "list, as JSON", object: "object, as JSON", any: "any value" };

async function describe(id) {
  const f = content(await tool("get_function", { function_id: id }).catch(() => {}));
  return f.function_id === id ? f : null;
}

// openFunction shows a function with its form. choice is the name of one that is not
// known to be the build's: its button then names it.
async function openFunction(id, choice) {
  if (!can.serverTools) return;
  view.target = id;
  const f = view.fn?.function_id === id ? view.fn : await describe(id);
  if (view.target !== id || closed()) return;
  view.fn = f ?? { function_id: id, name: view.job?.function_name };
  put($("name"), line(view.fn.name, 120) || id);
  put($("code"), id);
  put($("about"), f ? lines(f.description, 600) : "Notte could not be asked what it takes. " + advice.unknown);
  const missing = list(f?.required_secrets).filter((s) => s?.set === false).map((s) => line(s.name, 60));
  put($("secrets"), missing.length ? `It needs secrets that are not set: ${missing.join(", ")}. Set them at console.notte.cc.` : "");
  $("fields").replaceChildren(...list(f?.variables).filter(isObject).slice(0, 64).map(field));
  put($("run"), f ? choice ? `Run ${choice}` : "Run" : "");
  part("function").hidden = false;
  render();
}

// field returns a variable's label, its input, and room for what is wrong there.
function field(v, i) {
  const id = `field${i}`, hidden = secret.test(v.name);
  const given = v.default === undefined || hidden ? "" : line(typeof v.default === "string" ? v.default : JSON.stringify(v.default), 100);
  const options = list(v.choices).length ? v.choices : v.type === "boolean" ? ["true", "false"] : null;
  const tag = options ? "select" : /array|object/.test(v.type) && !hidden ? "textarea" : "input";
  const input = make(tag, {
    id, "aria-describedby": `${id}hint ${id}wrong`, "aria-required": v.required === true, spellcheck: "false",
    autocomplete: hidden ? "new-password" : "off", placeholder: !options && given, type: tag === "input" && (hidden ? "password" : "text"),
    inputmode: v.type === "integer" ? "numeric" : v.type === "number" && "decimal",
  });
  if (options) input.append(make("option", { value: "" }, given ? `default ${given}` : "choose"), ...options.map((o, n) => make("option", { value: n }, line(o, 60))));
  const read = () => valueOf(v, input.value, options);
  fields[i] = { name: v.name, input, read, wrong: make("span", { id: `${id}wrong`, class: "error", hidden: "" }) };
  const hint = `${list(v.choices).length ? "one of a list" : kinds[v.type] ?? "text"}, ${v.required ? "required" : "optional"}`;
  const label = make("label", { for: id, dir: "auto" }, line(v.name, 64) || "variable");
  return make("div", { class: "field" }, label, make("span", { id: `${id}hint`, class: "hint" }, hint), input, fields[i].wrong);
}
let fields = [];

// valueOf reads what was typed: a value, undefined for none, or an error for its
// reader.
function valueOf({ type, required }, typed, options) {
  const text = typed.trim();
  const check = (right, example) => {
    if (!right) throw new Error(`This must be ${example}.`);
  };
  if (!text) return check(!required, "filled in");
  if (options) return type === "boolean" ? options[text] === "true" : options[text];
  if (type === "integer") {
    check(/^[+-]?\d{1,300}$/.test(text), "a whole number, such as 3");
    return Number.isSafeInteger(+text) ? +text : text;
  }
  if (type === "number") {
    check(/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) && Number.isFinite(+text), "a number, such as 2.5");
    return +text;
  }
  if (type !== "array" && type !== "object") return typed;
  let parsed;
  try {
    parsed = JSON.parse(text);
  } catch {} // not JSON
  check(type === "array" ? Array.isArray(parsed) : isObject(parsed), type === "array" ? 'a list in JSON, such as ["a", "b"]' : 'an object in JSON, such as {"a": 1}');
  return parsed;
}

// variables reads all fields. It returns null if one is wrong, and says so beside it.
function variables() {
  const given = [];
  let first;
  for (const { name, input, read, wrong } of fields.slice(0, $("fields").children.length)) {
    let why = "";
    try {
      const value = read();
      if (value !== undefined) given.push([name, value]);
    } catch (err) {
      why = err.message;
      first ??= input;
    }
    input.setAttribute("aria-invalid", why !== "");
    put(wrong, why);
  }
  first?.focus();
  return first ? null : Object.fromEntries(given);
}

form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.target.tagName !== "INPUT") return;
  event.preventDefault(); // a frame may not submit
  start();
});
press($("run"), start);
