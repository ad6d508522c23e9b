"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const S = data.strings;
  const LEVELS = ["error", "warning", "note"];
  const [REPO, LEVEL, RULE, AXIS, PATH, LINE, UNIT, ENV, MESSAGE, CONTAIN, EVIDENCE, CHAIN, QUOTE, OWNER, AGENT, NEW] = Array(16).keys();
  const repos = data.repositories;
  const findings = data.findings;
  const PAGE = 50;
  const ROWS = 40;
  const WORST = 12;
  const number = new Intl.NumberFormat("en");
  const n = (value) => number.format(value);
  const $ = (id) => document.getElementById(id);

  /* Text goes in as text nodes only: nothing of a repository is ever parsed as markup. */
  function el(name, attributes, ...children) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (value === false || value === null || value === undefined) continue;
      if (key === "class") node.className = value;
      else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
      else node.setAttribute(key, value === true ? "" : value);
    }
    node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
    return node;
  }
  function svg(name, attributes, ...children) {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  }
  const body = (id) => $(id).querySelector(".body");
  const say = (words) => { $("live").textContent = words; };
  function without(id) {
    $(id).hidden = true;
    for (const link of document.querySelectorAll(`[data-for="${id}"]`)) link.hidden = true;
  }
  const plural = (count, one, many) => `${n(count)} ${count === 1 ? one : many || one + "s"}`;

  /* Theme: what the system says, until somebody decides. */
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const theme = $("theme");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
  function named() {
    theme.textContent = isDark() ? "Light" : "Dark";
    theme.setAttribute("aria-label", isDark() ? "Switch to the light theme" : "Switch to the dark theme");
  }
  try {
    const kept = localStorage.getItem("blastdoor-theme");
    if (kept === "light" || kept === "dark") root.dataset.theme = kept;
  } catch { /* a page from a file may have no storage */ }
  theme.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try { localStorage.setItem("blastdoor-theme", root.dataset.theme); } catch { /* as above */ }
    named();
  });
  dark.addEventListener("change", named);
  named();

  /* Pieces */
  const pill = (words, tone) => el("span", { class: `pill ${tone || ""}` }, words);
  function code(parts, tone) {
    if (!parts) return null;
    const [before, inside, behind] = parts.map((at) => S[at]);
    return el("pre", { class: tone, tabindex: "0" }, before.replace(/^\s+/, ""), inside ? el("mark", {}, inside) : "", behind);
  }
  function place(row, path, line) {
    const words = `${path}:${line}`;
    const base = repos[row[REPO]][10];
    if (!base) return words;
    const address = base + path.split("/").map(encodeURIComponent).join("/") + `#L${line}`;
    return el("a", { href: address, rel: "noreferrer noopener" }, words);
  }
  function chain(row) {
    const tone = LEVELS[row[LEVEL]];
    const list = el("ol", { class: `chain ${tone}` });
    list.append(el("li", { class: "here" },
      el("span", { class: "at" }, place(row, S[row[PATH]], row[LINE])), code(row[QUOTE], tone)));
    for (const [path, line, message, quote] of row[CHAIN]) {
      list.append(el("li", {}, el("div", {}, S[message]),
        el("span", { class: "at" }, place(row, S[path], line)), code(quote)));
    }
    return list;
  }
  function rule(row) {
    const slug = S[row[RULE]];
    const known = data.rules[slug];
    const words = known.code ? `${slug} (${known.code})` : slug;
    return known.url ? el("a", { href: known.url, rel: "noreferrer noopener" }, words) : words;
  }
  function inside(row) {
    const repository = repos[row[REPO]];
    const facts = el("p", { class: "where" }, rule(row));
    const add = (words) => words && facts.append(" · ", words);
    add(data.rules[S[row[RULE]]].title);
    add(S[row[UNIT]]);
    add(S[row[OWNER]] && `owned by ${S[row[OWNER]]}`);
    add(S[row[AGENT]] && `line written by ${S[row[AGENT]]}`);
    for (const word of row[EVIDENCE]) add(S[word]);
    if (repository[9]) add(el("a", { href: repository[9] }, "SARIF log"));
    return el("div", { class: "inside" }, facts,
      S[row[CONTAIN]] ? el("p", {}, el("strong", {}, "To contain it: "), S[row[CONTAIN]]) : null, chain(row));
  }
  function pager(total, size, at, go, noun) {
    const last = Math.max(0, Math.ceil(total / size) - 1);
    const button = (words, to, off) => el("button", { type: "button", class: "quiet", disabled: off, onclick: () => go(to) }, words);
    return {
      words: total ? plural(total, noun[0], noun[1]) + (last ? ` · ${n(at * size + 1)}–${n(Math.min(total, (at + 1) * size))}` : "") : `No ${noun[1]}`,
      buttons: last ? [button("Previous", at - 1, at === 0), button("Next", at + 1, at >= last)] : [],
    };
  }

  /* Trend */
  function trend() {
    const history = data.history;
    if (data.single || history.length < 2) return without("trend");
    const panels = el("div", { class: "split" });
    const change = data.trend;
    if (change) {
      const figure = (name, key) => el("div", { class: key }, el("dt", {}, name), el("dd", {}, n(change[key])));
      panels.append(el("div", { class: "panel pad" }, el("h3", {}, "Findings, by fingerprint"),
        el("dl", { class: "figures" }, figure("new", "new"), figure("gone", "gone"), figure("unchanged", "unchanged")),
        change.new ? el("p", {}, el("button", { type: "button", class: "quiet", onclick: () => open({ fresh: true }) }, "Show what is new")) : null,
        change.rules.length ? el("table", { class: "plain" },
          el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Rule"), el("th", { scope: "col", class: "num" }, "New"), el("th", { scope: "col", class: "num" }, "Gone"))),
          el("tbody", {}, ...change.rules.map(([slug, fresh, gone]) => el("tr", {}, el("td", {}, slug),
            el("td", { class: "num plus" }, fresh ? `+${n(fresh)}` : ""), el("td", { class: "num minus" }, gone ? `−${n(gone)}` : ""))))) : null,
        change.more ? el("p", { class: "where" }, `and ${plural(change.more, "more rule")}`) : null));
    }
    const W = 720, H = 220, top = 14, left = 46, foot = 24;
    const most = Math.max(1, ...history.map((one) => one.errors + one.warnings + one.notes));
    const step = (W - left) / history.length;
    const wide = Math.min(46, step * 0.62);
    const drawn = svg("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": "Findings of each audit: " + history.map((one) => `audit ${one.id}: ${one.errors} errors, ${one.warnings} warnings, ${one.notes} notes`).join("; ") });
    const grid = svg("g", {});
    for (const share of [0, 0.5, 1]) {
      const y = H - foot - share * (H - foot - top);
      grid.append(svg("line", { x1: left, x2: W, y1: y, y2: y, stroke: "currentColor", "stroke-opacity": ".12" }),
        svg("text", { x: left - 8, y: y + 4, "text-anchor": "end" }, n(Math.round(most * share))));
    }
    drawn.append(grid);
    history.forEach((one, at) => {
      let y = H - foot;
      const x = left + at * step + (step - wide) / 2;
      for (const [key, tone] of [["errors", "e"], ["warnings", "w"], ["notes", "n"]]) {
        const high = (one[key] / most) * (H - foot - top);
        y -= high;
        if (high > 0) drawn.append(svg("rect", { class: tone, x, y, width: wide, height: Math.max(0.5, high - 1), rx: 2 }));
      }
      if (at % Math.ceil(history.length / 8) === 0 || at === history.length - 1) {
        drawn.append(svg("text", { x: x + wide / 2, y: H - 6, "text-anchor": "middle" }, `#${one.id} ${String(one.started).slice(0, 10)}`));
      }
    });
    panels.append(el("div", { class: "panel pad" }, el("h3", {}, "All audits of this store"), drawn,
      el("ul", { class: "legend" }, ...LEVELS.map((tone) => el("li", { class: tone }, el("i", {}), `${tone}s`)))));
    body("trend").append(panels);
    return undefined;
  }

  /* A name of a region may break behind its provider. */
  function broken(name) {
    const at = name.indexOf("/");
    return at < 0 ? [name || "\u00a0"] : [name.slice(0, at + 1), el("wbr"), name.slice(at + 1)];
  }

  /* A grid that shows some rows at a time */
  function paged(id, rows, columns, draw, noun, controls, note) {
    let at = 0;
    let shown = rows;
    const head = el("div", { class: "bar" });
    const words = el("span", { class: "grow" });
    const buttons = el("span", { class: "bar-buttons set" });
    const tbody = el("tbody", {});
    const table = el("table", { class: columns.length > 12 ? "grid" : "grid roomy", "aria-labelledby": `${id}-title` },
      el("thead", {}, el("tr", {}, ...columns.map((name) => el("th", { scope: "col" }, ...broken(name))))), tbody);
    function show(to) {
      at = to;
      const page = pager(shown.length, ROWS, at, show, noun);
      words.textContent = page.words + (note ? ` · ${note}` : "");
      buttons.replaceChildren(...page.buttons);
      tbody.replaceChildren(...shown.slice(at * ROWS, (at + 1) * ROWS).map(draw));
    }
    head.append(...(controls ? controls((next) => { shown = next; show(0); }) : []), words, buttons);
    body(id).append(el("div", { class: "panel" }, head, el("div", { class: "scroll", tabindex: "0", role: "region", "aria-labelledby": `${id}-title` }, table)));
    show(0);
  }
  function cell(count, most, tone, label, act) {
    const td = el("td", { class: count ? `hot ${tone}` : "" });
    if (!count) return td;
    td.style.setProperty("--heat", `${Math.round(16 + 62 * (Math.log1p(count) / Math.log1p(most)))}%`);
    td.append(act ? el("button", { type: "button", "aria-label": label, title: label, onclick: act }, n(count)) : el("span", { title: label }, n(count)));
    return td;
  }

  /* Heat map */
  function heat() {
    const totals = new Map();
    const cells = new Map();
    let most = 1;
    /* One repository is told by its folders. */
    const folder = (row) => { const path = S[row[PATH]]; return path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "."; };
    const source = data.single
      ? findings.map((row) => [folder(row), S[row[AXIS]], ...[0, 1, 2].map((level) => Number(row[LEVEL] === level))])
      : data.heat;
    for (const [repository, axis, ...one] of source) {
      const old = cells.get(repository)?.get(axis) || [0, 0, 0];
      const levels = one.map((count, level) => count + old[level]);
      most = Math.max(most, levels[0] + levels[1] + levels[2]);
      totals.set(axis, (totals.get(axis) || 0) + one[0] + one[1] + one[2]);
      if (!cells.has(repository)) cells.set(repository, new Map());
      cells.get(repository).set(axis, levels);
    }
    if (!cells.size) return body("heat").append(el("p", { class: "panel notice" }, "Nothing was found on any axis."));
    const axes = [...totals.keys()].sort((a, b) => totals.get(b) - totals.get(a) || (a < b ? -1 : 1));
    const weight = (key) => [...cells.get(key).values()].reduce((sum, one) => sum + one[0] * 1e6 + one[1] * 1e3 + one[2], 0);
    const rows = data.single
      ? [...cells.keys()].sort((a, b) => weight(b) - weight(a) || (a < b ? -1 : 1))
      : repos.map((_, at) => at).filter((at) => cells.has(at));
    const quietOnes = data.single ? 0 : repos.filter((one, at) => one[1] === "done" && !cells.has(at)).length;
    const draw = (at) => {
      const repository = data.single ? [at] : repos[at];
      const wanted = data.single ? { words: at === "." ? "" : `${at}/` } : { repository: at };
      const name = el("button", { type: "button", class: "link", title: repository[0], onclick: () => open(wanted) }, repository[0]);
      const about = data.single ? "" : el("small", {}, plural(repository[7], "resource"), repository[2] ? ` · ${repository[2]}` : "");
      if (repository[9]) about.append(" · ", el("a", { href: repository[9] }, "SARIF"));
      return el("tr", {}, el("th", { scope: "row" }, name, about),
        ...axes.map((axis) => {
          const levels = cells.get(at).get(axis) || [0, 0, 0];
          const tone = LEVELS[levels.findIndex((count) => count > 0)];
          const sum = levels[0] + levels[1] + levels[2];
          const words = levels.map((count, level) => count && plural(count, LEVELS[level])).filter(Boolean).join(", ");
          return cell(sum, most, tone, `${repository[0]}, ${axis || "no axis"}: ${words}`, () => open({ ...wanted, axis }));
        }));
    };
    paged("heat", rows, [data.single ? "Folder" : "Repository", ...axes.map((axis) => axis || "other")], draw, data.single ? ["folder with findings", "folders with findings"] : ["repository with findings", "repositories with findings"], null,
      quietOnes ? `${n(quietOnes)} without` : "");
    body("heat").append(el("ul", { class: "legend" }, ...LEVELS.map((tone) => el("li", { class: tone }, el("i", {}), `at worst ${tone === "error" ? "an" : "a"} ${tone}`)), el("li", {}, "the deeper, the more; a cell opens its findings")));
    return undefined;
  }

  /* Regions */
  function regions() {
    const { columns, rows, more } = data.regions;
    if (!rows.length) return body("regions").append(el("p", { class: "panel notice" }, "Nothing here says or leaves open a region."));
    const byRepository = new Map();
    for (const [repository, , , owner, cells] of rows) {
      if (!byRepository.has(repository)) byRepository.set(repository, [repository, new Map(), owner, 0]);
      const sum = byRepository.get(repository);
      sum[3] += 1;
      for (const [at, count] of cells) sum[1].set(at, (sum[1].get(at) || 0) + count);
    }
    const units = rows.map(([repository, unit, environment, owner, cells]) => [unit || "(root)", new Map(cells), [data.single ? "" : repository, environment, owner]]);
    const whole = [...byRepository.values()].map(([repository, cells, owner, count]) => [repository, cells, [plural(count, "unit"), owner]]);
    const total = (row) => [...row[1].values()].reduce((a, b) => a + b, 0);
    whole.sort((a, b) => total(b) - total(a));
    const most = Math.max(...whole.map((row) => Math.max(...row[1].values())), 1);
    const tones = { "every region": "error", "environment decides": "warning", "not known": "note", global: "note" };
    const draw = ([name, cells, about]) => el("tr", {},
      el("th", { scope: "row" }, el("span", { title: name }, name), el("small", { title: about.filter(Boolean).join(" · ") }, about.filter(Boolean).join(" · "))),
      ...columns.map((column, at) => cell(cells.get(at) || 0, most, tones[column] || "reach",
        `${name}: ${plural(cells.get(at) || 0, "resource")}, ${column}`)));
    const start = data.single ? units : whole;
    paged("regions", start, [data.single ? "Unit" : "Repository or unit", ...columns], draw, ["row", "rows"], (use) => {
      if (data.single) return [];
      const button = (words, set, on) => {
        const node = el("button", { type: "button", class: "quiet", "aria-pressed": String(on), onclick: () => {
          for (const other of node.parentNode.querySelectorAll("[aria-pressed]")) other.setAttribute("aria-pressed", String(other === node));
          use(set);
        } }, words);
        return node;
      };
      return [button("By repository", whole, true), button("By unit", units, false)];
    }, more ? `${n(more)} more units are in the store` : "");
    body("regions").append(el("ul", { class: "legend" },
      el("li", { class: "error" }, el("i", {}), "every region at once"), el("li", { class: "reach" }, el("i", {}), "a region that the code names"),
      el("li", { class: "warning" }, el("i", {}), "whatever the environment says"), el("li", { class: "note" }, el("i", {}), "global, or not to be told from the code")));
    return undefined;
  }

  /* Worst units */
  function worst() {
    const groups = new Map();
    findings.forEach((row, at) => {
      const key = `${row[REPO]} ${row[PATH]} ${row[UNIT]}`;
      const group = groups.get(key) || groups.set(key, { rows: [], score: 0 }).get(key);
      group.rows.push(at);
      group.score += [25, 5, 1][row[LEVEL]] * (S[row[ENV]].includes("non-production") ? 0.5 : 1);
    });
    const ranked = [...groups.values()].sort((a, b) => b.score - a.score || a.rows[0] - b.rows[0]).slice(0, WORST);
    if (!ranked.length) return without("worst");
    const cards = el("div", { class: "units" });
    for (const { rows } of ranked) {
      const first = findings[rows[0]];
      const counts = [0, 0, 0];
      for (const at of rows) counts[findings[at][LEVEL]] += 1;
      const axes = [...new Set(rows.map((at) => S[findings[at][AXIS]]))].filter(Boolean);
      const details = el("details", {}, el("summary", {}, `Evidence of ${plural(rows.length, "finding")}`));
      details.addEventListener("toggle", () => {
        if (!details.open || details.childElementCount > 1) return;
        for (const at of rows.slice(0, 10)) {
          details.append(el("p", {}, pill(LEVELS[findings[at][LEVEL]], LEVELS[findings[at][LEVEL]]), " ", S[findings[at][MESSAGE]]), chain(findings[at]));
        }
        if (rows.length > 10) details.append(el("p", { class: "where" }, `and ${n(rows.length - 10)} more in the list below`));
      });
      const name = S[first[UNIT]] || S[first[PATH]];
      cards.append(el("article", { class: `panel unit ${LEVELS[first[LEVEL]]}` }, el("h3", {}, name),
        el("p", { class: "where" }, data.single ? "" : `${repos[first[REPO]][0]} · `, place(first, S[first[PATH]], first[LINE]), S[first[OWNER]] ? ` · ${S[first[OWNER]]}` : ""),
        el("div", { class: "row" }, ...counts.map((count, level) => count ? pill(plural(count, LEVELS[level]), LEVELS[level]) : null), ...axes.map((axis) => pill(axis)), S[first[ENV]] ? pill(S[first[ENV]]) : null),
        el("p", {}, S[first[MESSAGE]]), code(first[QUOTE], LEVELS[first[LEVEL]]), details));
    }
    body("worst").append(cards);
    return undefined;
  }

  /* The list */
  const state = { words: "", levels: new Set(), repository: -1, family: "", rule: "", axis: null, environment: null, fresh: false, agent: false };
  const texts = new Array(findings.length);
  let found = [];
  let pageAt = 0;
  const controls = {};
  const list = el("ol", { class: "list" });
  const count = el("div", { class: "count" });
  const below = el("div", { class: "count" });

  const text = (at) => texts[at] || (texts[at] = (() => {
    const row = findings[at];
    return [S[row[MESSAGE]], repos[row[REPO]][0], S[row[PATH]], S[row[RULE]], data.rules[S[row[RULE]]].code, S[row[UNIT]], S[row[OWNER]], S[row[AGENT]]].join("\n").toLowerCase();
  })());
  function filter() {
    const words = state.words.toLowerCase().split(/\s+/).filter(Boolean);
    found = [];
    for (let at = 0; at < findings.length; at += 1) {
      const row = findings[at];
      if (state.levels.size && !state.levels.has(row[LEVEL])) continue;
      if (state.repository >= 0 && row[REPO] !== state.repository) continue;
      if (state.rule && S[row[RULE]] !== state.rule) continue;
      if (state.family && data.rules[S[row[RULE]]].family !== state.family) continue;
      if (state.axis !== null && S[row[AXIS]] !== state.axis) continue;
      if (state.environment !== null && S[row[ENV]] !== state.environment) continue;
      if (state.fresh && !row[NEW]) continue;
      if (state.agent && !S[row[AGENT]]) continue;
      if (words.length && !words.every((word) => text(at).includes(word))) continue;
      found.push(at);
    }
    turn(0);
  }
  function turn(to, focus) {
    pageAt = to;
    list.replaceChildren(...found.slice(to * PAGE, (to + 1) * PAGE).map(item));
    const draw = (where, loud) => {
      const page = pager(found.length, PAGE, pageAt, (next) => { turn(next, true); $("findings").scrollIntoView(); }, ["finding", "findings"]);
      where.replaceChildren(el("span", {}, page.words + (loud ? missing() : "")), ...page.buttons);
      where.hidden = !loud && !page.buttons.length;
      if (loud) say(page.words);
    };
    draw(count, true);
    draw(below, false);
    if (focus) list.querySelector("summary")?.focus({ preventScroll: true });
  }
  function missing() {
    const whole = data.totals.errors + data.totals.warnings + data.totals.notes;
    return whole > findings.length ? ` · this page holds the worst ${n(findings.length)} of ${n(whole)}` : "";
  }
  function item(at) {
    const row = findings[at];
    const level = LEVELS[row[LEVEL]];
    const tags = el("span", { class: "tags" }, row[NEW] ? pill("new", "error") : null, S[row[AGENT]] ? pill("agent", "reach") : null, S[row[ENV]] ? pill(S[row[ENV]]) : null, pill(S[row[RULE]]));
    const details = el("details", { class: "finding" },
      el("summary", {}, pill(level, level), el("span", { class: "what" }, S[row[MESSAGE]]), tags,
        el("span", { class: "where" }, data.single ? "" : `${repos[row[REPO]][0]} · `, `${S[row[PATH]]}:${row[LINE]}`)));
    details.addEventListener("toggle", () => {
      if (details.open && details.childElementCount === 1) details.append(inside(row));
    });
    return el("li", {}, details);
  }
  function choice(name, words, values, key, none) {
    const select = el("select", { "aria-label": words, id: `filter-${name}`, onchange: () => {
      state[key] = select.value === "" ? none : select.options[select.selectedIndex].pick;
      filter();
    } }, el("option", { value: "" }, words));
    for (const [value, label] of values) {
      const option = el("option", { value: `v${value}` }, label);
      option.pick = value;
      select.append(option);
    }
    controls[key] = select;
    return values.length > 1 || name === "repository" ? select : null;
  }
  function counted(pick) {
    const sums = new Map();
    for (const row of findings) { const key = pick(row); sums.set(key, (sums.get(key) || 0) + 1); }
    return [...sums].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  }
  function toggle(words, tone, isOn, flip) {
    const button = el("button", { type: "button", class: `quiet ${tone}`, "aria-pressed": String(isOn()), onclick: () => { flip(); button.setAttribute("aria-pressed", String(isOn())); filter(); } }, words);
    (controls.toggles ||= []).push([button, isOn]);
    return button;
  }
  function all() {
    if (!findings.length) return body("findings").append(el("p", { class: "panel notice" }, "Nothing was found."));
    let wait = 0;
    const search = el("input", { type: "search", id: "search", placeholder: "Search messages, files, rules, owners   /", "aria-label": "Search the findings", oninput: () => {
      clearTimeout(wait);
      wait = setTimeout(() => { state.words = search.value; filter(); }, 90);
    } });
    controls.words = search;
    const levels = el("span", { class: "set", role: "group", "aria-label": "Levels" }, ...LEVELS.map((name, level) => toggle(`${name}s`, name, () => state.levels.has(level), () => { if (!state.levels.delete(level)) state.levels.add(level); })));
    const rowsOf = (pick, word) => counted(pick).map(([value, sum]) => [value, `${word(value)} (${n(sum)})`]);
    const some = (value) => value || "not said";
    const bar = el("div", { class: "filters", role: "search" }, search, levels,
      data.single ? null : choice("repository", "Every repository", rowsOf((row) => row[REPO], (at) => repos[at][0]), "repository", -1),
      choice("family", "Every family", rowsOf((row) => data.rules[S[row[RULE]]].family, some), "family", ""),
      choice("rule", "Every rule", rowsOf((row) => S[row[RULE]], some), "rule", ""),
      choice("axis", "Every axis", rowsOf((row) => S[row[AXIS]], some), "axis", null),
      choice("environment", "Every environment", rowsOf((row) => S[row[ENV]], some), "environment", null),
      findings.some((row) => row[NEW]) ? toggle("new", "error", () => state.fresh, () => { state.fresh = !state.fresh; }) : null,
      findings.some((row) => S[row[AGENT]]) ? toggle("by agents", "reach", () => state.agent, () => { state.agent = !state.agent; }) : null,
      el("button", { type: "button", class: "quiet", id: "reset", onclick: () => { reset(); synced(); filter(); } }, "Clear"));
    body("findings").append(el("div", { class: "panel" }, bar, count, list, below));
    addEventListener("keydown", (event) => {
      if (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !/INPUT|SELECT|TEXTAREA/.test(document.activeElement.tagName)) {
        event.preventDefault();
        search.focus();
      }
    });
    filter();
    return undefined;
  }
  function reset() {
    Object.assign(state, { words: "", levels: new Set(), repository: -1, family: "", rule: "", axis: null, environment: null, fresh: false, agent: false });
  }
  function synced() {
    controls.words.value = state.words;
    for (const key of ["repository", "family", "rule", "axis", "environment"]) {
      const value = state[key];
      if (controls[key]) controls[key].value = value === -1 || value === null || (value === "" && key !== "axis" && key !== "environment") ? "" : `v${value}`;
    }
    for (const [button, isOn] of controls.toggles) button.setAttribute("aria-pressed", String(isOn()));
  }
  function open(wanted) {
    reset();
    Object.assign(state, wanted);
    synced();
    filter();
    $("findings").scrollIntoView();
    $("search").focus({ preventScroll: true });
  }

  /* Failures */
  function failures() {
    const rows = data.failures;
    const left = Object.entries(data.audit.left_out);
    if (!rows.length && !left.length) return without("failures");
    const panel = el("div", { class: "panel" });
    if (left.length) panel.append(el("p", { class: "notice" }, "Left out: ", left.map(([reason, many]) => `${reason} (${n(many)})`).join(", ")));
    let at = 0;
    const bar = el("div", { class: "bar" });
    const tbody = el("tbody", {});
    const show = (to) => {
      at = to;
      const page = pager(rows.length, ROWS, at, show, ["failure", "failures"]);
      const whole = data.totals.failed + data.totals.files_failed;
      bar.replaceChildren(el("span", { class: "grow" }, page.words + (whole > rows.length ? ` · ${n(whole)} in the store` : "")), ...page.buttons);
      tbody.replaceChildren(...rows.slice(at * ROWS, (at + 1) * ROWS).map(([repository, part, kind, path, line, message]) =>
        el("tr", {}, el("td", {}, repository), el("td", {}, part === "repository" ? "the whole repository" : line ? `${path}:${line}` : path), el("td", {}, kind), el("td", {}, message))));
    };
    if (rows.length) {
      panel.append(bar, el("div", { class: "scroll", tabindex: "0", role: "region", "aria-labelledby": "failures-title" }, el("table", { class: "plain wide" },
        el("thead", {}, el("tr", {}, ...["Repository", "Where", "Kind", "Why"].map((name) => el("th", { scope: "col" }, name)))), tbody)));
      show(0);
    }
    body("failures").append(panel);
    return undefined;
  }

  all();
  trend();
  heat();
  regions();
  worst();
  failures();
  root.dataset.ready = "yes";
})();
