"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const make = (tag, text, kind) => {
    const node = document.createElement(tag);
    if (text !== undefined) node.textContent = text;
    if (kind) node.className = kind;
    return node;
  };
  const SIZE = 100;
  const LEVELS = ["error", "warning", "note"];
  const [REPO, RULE, LEVEL, PATH, LINE, UNIT, AXIS, MESSAGE, CONTAIN, NEW, AGENT, DETAIL] =
    Array(12).keys();
  const state = { text: "", level: "", axis: "", repo: "", rule: "", only: "", page: 0 };
  let words = null;
  let shown = [];

  const haystack = (f) => [data.repositories[f[REPO]], data.rules[f[RULE]].id, data.rules[f[RULE]].code,
    f[PATH], f[UNIT], f[MESSAGE]].join("\n").toLowerCase();

  const select = () => {
    const terms = state.text.toLowerCase().split(/\s+/).filter(Boolean);
    if (terms.length && !words) words = data.findings.map(haystack);
    shown = [];
    data.findings.forEach((f, index) => {
      if (state.level !== "" && f[LEVEL] !== Number(state.level)) return;
      if (state.axis && f[AXIS] !== state.axis) return;
      if (state.repo !== "" && f[REPO] !== Number(state.repo)) return;
      if (state.rule !== "" && f[RULE] !== Number(state.rule)) return;
      if (state.only === "new" && !f[NEW]) return;
      if (state.only === "agent" && !f[AGENT]) return;
      if (terms.length && !terms.every((term) => words[index].includes(term))) return;
      shown.push(f);
    });
    state.page = Math.min(state.page, Math.max(0, Math.ceil(shown.length / SIZE) - 1));
  };

  const source = (path, line, quote) => {
    const block = make("pre");
    block.append(`${path}:${line}\n`);
    if (quote) block.append(quote[0], make("mark", quote[1]), quote[2]);
    return block;
  };

  const detail = (f) => {
    const row = make("tr", undefined, "detail");
    const cell = make("td");
    cell.colSpan = 3;
    const rule = data.rules[f[RULE]];
    const more = f[DETAIL] === null ? null : data.details[f[DETAIL]];
    cell.append(source(f[PATH], f[LINE], more && more.quote));
    if (more) {
      for (const [path, line, said, quote] of more.related) {
        cell.append(make("div", said, "soft"), source(path, line, quote));
      }
      for (const [axis, reach] of more.reach) cell.append(make("div", `reach: ${axis}: ${reach}`));
      for (const said of more.evidence) cell.append(make("div", said, "soft"));
    } else cell.append(make("p", "Its chain and source lines are in the SARIF log.", "soft"));
    if (f[CONTAIN]) cell.append(make("div", `What would contain it: ${f[CONTAIN]}`));
    if (f[AGENT]) cell.append(make("div", `Written by an AI agent: ${f[AGENT]}`));
    const about = make("div", undefined, "soft");
    about.append(`${rule.code} ${rule.title} `);
    if (rule.uri) {
      const link = make("a", "about the rule");
      link.href = rule.uri;
      link.rel = "noreferrer noopener";
      about.append(link);
    }
    cell.append(about);
    row.append(cell);
    return row;
  };

  const line = (f) => {
    const row = make("tr");
    const level = make("td");
    level.append(make("b", LEVELS[f[LEVEL]], LEVELS[f[LEVEL]]));
    const said = make("td");
    const button = make("button", f[MESSAGE]);
    button.type = "button";
    button.setAttribute("aria-expanded", "false");
    if (f[NEW]) button.append(make("span", "new", "badge"));
    if (f[AGENT]) button.append(make("span", "agent", "badge"));
    button.addEventListener("click", () => {
      const open = button.getAttribute("aria-expanded") === "true";
      button.setAttribute("aria-expanded", String(!open));
      if (open) row.nextSibling.remove();
      else row.after(detail(f));
    });
    said.append(button);
    const where = make("td");
    where.append(make("div", data.repositories[f[REPO]]), make("div", `${f[PATH]}:${f[LINE]}`, "soft"),
      make("div", data.rules[f[RULE]].id, "soft"));
    row.append(level, said, where);
    return row;
  };

  const draw = () => {
    const from = state.page * SIZE;
    byId("rows").replaceChildren(...shown.slice(from, from + SIZE).map(line));
    const last = Math.min(from + SIZE, shown.length);
    byId("count").textContent = shown.length
      ? `${(from + 1).toLocaleString("en")}–${last.toLocaleString("en")} of ${shown.length.toLocaleString("en")}`
      : "no finding answers to this";
    byId("back").disabled = state.page === 0;
    byId("next").disabled = last >= shown.length;
  };
  const renew = () => { select(); draw(); };

  for (const name of ["level", "axis", "repo", "rule", "only"]) {
    byId(name).addEventListener("change", (event) => {
      state[name] = event.target.value; state.page = 0; renew();
    });
  }
  let timer = 0;
  byId("text").addEventListener("input", (event) => {
    clearTimeout(timer);
    timer = setTimeout(() => { state.text = event.target.value; state.page = 0; renew(); }, 80);
  });
  byId("back").addEventListener("click", () => { state.page -= 1; draw(); });
  byId("next").addEventListener("click", () => { state.page += 1; draw(); });
  byId("clear").addEventListener("click", () => {
    Object.assign(state, { text: "", level: "", axis: "", repo: "", rule: "", only: "", page: 0 });
    for (const name of ["text", "level", "axis", "repo", "rule", "only"]) byId(name).value = "";
    renew();
  });
  document.addEventListener("click", (event) => {
    const cell = event.target.closest("button[data-axis]");
    if (!cell) return;
    Object.assign(state, { text: "", level: "", rule: "", only: "", page: 0 });
    state.repo = cell.dataset.repo; state.axis = cell.dataset.axis;
    for (const name of ["text", "level", "axis", "repo", "rule", "only"]) byId(name).value = state[name];
    renew();
    byId("findings").scrollIntoView();
    byId("text").focus({ preventScroll: true });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) {
      event.preventDefault();
      byId("text").focus();
    }
  });
  byId("theme").addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
  document.documentElement.dataset.ready = "yes";
  renew();
})();
