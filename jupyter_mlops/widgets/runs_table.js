// The live table of runs: sorting, filtering, choosing columns, ticking two runs. Values are placed as text, never as HTML;
// the comparison comes from the kernel as HTML that is escaped there.

const MISSING = new Set([null, undefined, ""]);

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((one) => one !== null));
  return element;
}

function two(number) {
  return String(number).padStart(2, "0");
}

function shownTime(value) {
  const at = new Date(value);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

function shownDuration(seconds) {
  if (seconds < 1) return `${Number(seconds.toPrecision(2))} s`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

function shownNumber(value) {
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return value.toLocaleString("en-US");
  return String(Number(value.toPrecision(6)));
}

function text(value, column) {
  if (MISSING.has(value)) return "";
  if (column.kind === "when") return shownTime(value);
  if (column.kind === "duration") return shownDuration(value);
  return typeof value === "number" ? shownNumber(value) : String(value);
}

// What a value is sorted by: a number or lower-case text; null comes last, in either direction.
function sortKey(value, column) {
  if (MISSING.has(value)) return null;
  if (!column.numeric) return String(value).toLowerCase();
  const number = Number(value);
  if (!Number.isNaN(number)) return number;
  return { inf: Infinity, "-inf": -Infinity }[value] ?? null;
}

function compareKeys(a, b) {
  if (typeof a === "string") return a.localeCompare(b, undefined, { numeric: true });
  return a - b;
}

export function sorted(rows, position, column, direction) {
  const keyed = rows.map((row, place) => ({ row, place, key: sortKey(row.values[position], column) }));
  keyed.sort((a, b) => {
    if (a.key === null || b.key === null) return (a.key === null) - (b.key === null) || a.place - b.place;
    return direction * compareKeys(a.key, b.key) || a.place - b.place;
  });
  return keyed.map((one) => one.row);
}

// Words that all have to be found; a word like `auc>0.8` or `model=tree` is about one column.
export function condition(query, columns) {
  const tests = query.trim().split(/\s+/).filter(Boolean).map((word) => {
    const parts = /^([^<>=!]+)(>=|<=|!=|=|>|<)(.+)$/.exec(word);
    const position = parts ? columns.findIndex((one) => one.title.toLowerCase() === parts[1].toLowerCase()) : -1;
    if (position < 0) {
      const wanted = word.toLowerCase();
      return (row) => haystack(row, columns).includes(wanted);
    }
    const [, , operator, given] = parts;
    const column = columns[position];
    const number = Number(given);
    return (row) => {
      const value = row.values[position];
      if (MISSING.has(value)) return operator === "!=";
      if (column.numeric && column.kind !== "when" && !Number.isNaN(number)) {
        const own = Number(value);
        return { ">": own > number, "<": own < number, ">=": own >= number, "<=": own <= number, "=": own === number, "!=": own !== number }[operator];
      }
      const order = compareKeys(text(value, column).toLowerCase(), given.toLowerCase());
      return { ">": order > 0, "<": order < 0, ">=": order >= 0, "<=": order <= 0, "=": order === 0, "!=": order !== 0 }[operator];
    };
  });
  return (row) => tests.every((test) => test(row));
}

function haystack(row, columns) {
  row.haystack ??= [row.id, ...columns.map((column, place) => text(row.values[place], column))].join("\n").toLowerCase();
  return row.haystack;
}

function bestValues(rows, columns) {
  return columns.map((column, place) => {
    if (column.kind !== "metric" || rows.length < 2) return null;
    const numbers = rows.map((row) => row.values[place]).filter((value) => typeof value === "number");
    if (numbers.length < 2) return null;
    return numbers.reduce((a, b) => (column.lower ? Math.min(a, b) : Math.max(a, b)));
  });
}

function rightAligned(column) {
  return column.numeric && column.kind !== "when";
}

const STATUS = { finished: "good", failed: "bad", killed: "warn", running: "warn", scheduled: "warn" };
const GROUPS = [["metric", "Metrics"], ["param", "Parameters"], ["tag", "Versions and tags"]];

function render({ model, el }) {
  const columns = model.get("columns");
  const all = model.get("rows").map(([id, link, nested, values]) => ({ id, link, nested, values }));
  const best = bestValues(all, columns);
  const state = { shown: columns.map((one) => one.shown), sort: null, direction: 1, query: "", page: 0, size: 25, ticked: [] };
  let visible = all;

  const count = make("span", { class: "mlops-runs-quiet", "aria-live": "polite" });
  const search = make("input", { type: "search", placeholder: "filter: words, auc>0.8, model=tree", "aria-label": "filter runs" });
  search.addEventListener("input", () => { state.query = search.value; state.page = 0; arrange(); });
  search.addEventListener("keydown", (event) => event.stopPropagation()); // the notebook has its own shortcuts
  const chooser = columnChooser();
  const size = make("select", { "aria-label": "runs on a page" }, ...[25, 50, 100].map((one) => make("option", { value: one }, `${one} a page`)));
  size.addEventListener("change", () => { state.size = Number(size.value); state.page = 0; draw(); });
  const back = make("button", { class: "mlops-runs-push", "aria-label": "previous page", onclick: () => turn(-1) }, "‹");
  const on = make("button", { class: "mlops-runs-push", "aria-label": "next page", onclick: () => turn(1) }, "›");
  const head = make("tr");
  const body = make("tbody");
  const pair = make("div", { class: "mlops-runs-compare", "aria-live": "polite" });
  const hint = make("span", { class: "mlops-runs-quiet" }, "Tick two runs to compare them.");
  const paging = make("span", { class: "mlops-runs-right mlops-runs-bar", style: "margin-bottom:0" }, size, back, on);
  if (all.length <= 25) paging.style.display = "none";
  el.append(make("div", { class: "mlops-runs" },
    make("div", { class: "mlops-runs-bar" }, make("b", {}, model.get("title")), count, search, chooser, paging),
    make("div", { class: "mlops-runs-scroll" }, make("table", { class: "mlops-runs-table" }, make("thead", {}, head), body)),
    make("div", { class: "mlops-runs-note" }, hint),
    ...model.get("notes").map((note) => make("div", { class: "mlops-runs-note" }, note)),
    pair));

  function columnChooser() {
    const panel = make("div");
    for (const [kind, title] of GROUPS) {
      const group = columns.map((column, place) => [column, place]).filter(([column]) => column.kind === kind);
      if (!group.length) continue;
      panel.append(make("h4", {}, title));
      for (const [column, place] of group) {
        const box = make("input", { type: "checkbox", checked: column.shown });
        box.addEventListener("change", () => { state.shown[place] = box.checked; draw(); });
        panel.append(make("label", {}, box, ` ${column.title}`));
      }
    }
    const made = make("details", { class: "mlops-runs-chooser" }, make("summary", {}, "Columns ▾"), panel);
    made.addEventListener("keydown", (event) => {
      if (event.key === "Escape") made.open = false;
      event.stopPropagation();
    });
    return panel.childElementCount ? made : null;
  }

  function turn(by) {
    state.page += by;
    draw();
  }

  function sortBy(place) {
    const column = columns[place];
    if (state.sort === place) state.direction = -state.direction;
    // What people look for first: the best value, the newest run, the beginning of the alphabet.
    else [state.sort, state.direction] = [place, column.kind === "metric" ? (column.lower ? 1 : -1) : column.kind === "when" ? -1 : 1];
    state.page = 0;
    arrange();
  }

  function arrange() {
    const test = condition(state.query, columns);
    visible = state.query.trim() ? all.filter(test) : all;
    if (state.sort !== null) visible = sorted(visible, state.sort, columns[state.sort], state.direction);
    draw();
  }

  function draw() {
    const last = Math.max(0, Math.ceil(visible.length / state.size) - 1);
    state.page = Math.min(Math.max(state.page, 0), last);
    const from = state.page * state.size;
    const page = visible.slice(from, from + state.size);
    const places = columns.map((_, place) => place).filter((place) => state.shown[place]);
    head.replaceChildren(make("th", { "aria-label": "compare" }), ...places.map(headCell));
    body.replaceChildren(...page.map((row) => bodyRow(row, places)));
    const whole = visible.length === all.length ? `${all.length.toLocaleString("en-US")} ${all.length === 1 ? "run" : "runs"}`
      : `${visible.length.toLocaleString("en-US")} of ${all.length.toLocaleString("en-US")} runs`;
    count.textContent = visible.length > state.size ? `${from + 1}–${from + page.length} of ${whole}` : whole;
    back.disabled = state.page === 0;
    on.disabled = state.page === last;
  }

  function headCell(place) {
    const column = columns[place];
    const active = state.sort === place;
    const arrow = active ? (state.direction > 0 ? " ▲" : " ▼") : "";
    const direction = active ? (state.direction > 0 ? "ascending" : "descending") : "none";
    const about = column.kind === "metric" ? `metric, ${column.lower ? "lower" : "higher"} is better` : column.kind === "param" ? "parameter" : column.kind;
    return make("th", { class: rightAligned(column) ? "mlops-runs-n" : "", "aria-sort": direction, scope: "col", title: `${column.title} (${about})` },
      make("button", { type: "button", onclick: () => sortBy(place) }, column.title + arrow));
  }

  function bodyRow(row, places) {
    const ticked = state.ticked.includes(row.id);
    const box = make("input", { type: "checkbox", "aria-label": `compare ${row.values[0]} ${row.id.slice(0, 8)}` });
    box.checked = ticked;
    box.addEventListener("change", () => tick(row.id, box.checked));
    return make("tr", { class: ticked ? "mlops-runs-on" : "", "data-run": row.id },
      make("td", { class: "mlops-runs-tick" }, box), ...places.map((place) => bodyCell(row, place)));
  }

  function bodyCell(row, place) {
    const column = columns[place];
    const value = row.values[place];
    const written = text(value, column);
    if (column.kind === "name") {
      const name = row.link ? make("a", { href: row.link, target: "_blank", rel: "noopener noreferrer", title: "open in MLflow" }, written) : written;
      return make("td", { title: `${written} ${row.id}` }, row.nested ? "↳ " : "", name, " ", make("code", {}, row.id.slice(0, 8)));
    }
    if (column.kind === "status") return make("td", {}, make("span", { class: `mlops-runs-${STATUS[value] ?? "quiet"}` }, written));
    const leads = best[place] !== null && value === best[place];
    const kind = [rightAligned(column) ? "mlops-runs-n" : "", leads ? "mlops-runs-best" : ""].join(" ").trim();
    return make("td", { class: kind, title: leads ? `${value}, the best of these runs` : String(value ?? "") }, written);
  }

  function tick(id, checked) {
    state.ticked = state.ticked.filter((one) => one !== id);
    if (checked) state.ticked = [...state.ticked, id].slice(-2);
    draw();
    compare();
  }

  function compare() {
    pair.replaceChildren();
    hint.textContent = ["Tick two runs to compare them.", "Tick one more run to compare them."][state.ticked.length] ?? "";
    if (state.ticked.length < 2) return;
    const found = model.get("comparison");
    const key = [...state.ticked].sort().join(" ");
    if (found.pair === key) {
      pair.innerHTML = found.html;
      return;
    }
    hint.textContent = "Comparing; the kernel reads both runs …";
    model.set("selected", [...state.ticked]);
    model.save_changes();
  }

  const arrived = () => compare();
  model.on("change:comparison", arrived);
  draw();
  return () => model.off("change:comparison", arrived);
}

export default { render };
