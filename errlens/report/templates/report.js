"use strict";
(() => {
  const by = (id) => document.getElementById(id);
  const read = (id) => JSON.parse(by(id).textContent);
  const data = read("data");
  const DASH = "-";

  // ---- small helpers: text only ever goes in as text ----
  function make(tag, given = {}, ...inside) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(given)) {
      if (name === "onclick") element.addEventListener("click", value);
      else if (name === "class") element.className = value;
      else element.setAttribute(name, value);
    }
    element.append(...inside);
    return element;
  }
  const count = (n) => n.toLocaleString("en-US");
  // As errlens/formats.py writes a share; a test compares the two.
  function bare(x, n = 0) {
    const digits = n > 1000 ? 2 : 1, text = (100 * x * (1 + 1e-12)).toFixed(digits), least = 10 ** -digits;
    if (x > 0 && Number(text) === 0) return `<${least.toFixed(digits)}`;
    if (x < 1 - 1e-11 && Number(text) === 100) return `>${(100 - least).toFixed(digits)}`;
    return text;
  }
  const percent = (x) => (x === null || x === undefined ? DASH : `${bare(x)} %`);
  // A word for the shell, as errlens/escapes.py quotes it; what cannot be seen byte by byte.
  const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/u;
  function quoted(word) {
    if (/^[\w@%+=:,.\/-]+$/.test(word)) return word;
    if (!UNSEEN.test(word)) return `'${word.replaceAll("'", `'"'"'`)}'`;
    const bytes = (letter) => [...new TextEncoder().encode(letter)];
    return `$'${[...word].map((letter) => (/[\\']/.test(letter) ? `\\${letter}` : !UNSEEN.test(letter) ? letter :
      bytes(letter).map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join(""))).join("")}'`;
  }

  function wilson(hits, n) {
    const z2 = 3.841458820694124, p = hits / n;
    const centre = (p + z2 / (2 * n)) / (1 + z2 / n);
    const half = Math.sqrt(z2) / (1 + z2 / n) * Math.sqrt(p * (1 - p) / n + z2 / (4 * n * n));
    return [hits === 0 ? 0 : centre - half, hits === n ? 1 : centre + half];
  }

  // ---- light and dark ----
  const themes = ["automatic", "light", "dark"];
  function setTheme(theme) {
    if (theme === "automatic") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    by("theme").textContent = `Light or dark: ${theme}`;
    by("theme").dataset.theme = theme;
    try { localStorage.setItem("errlens-theme", theme); } catch { /* a page of its own: no store */ }
    document.dispatchEvent(new Event("repaint"));
  }
  by("theme").addEventListener("click", () => {
    const now = themes.indexOf(by("theme").dataset.theme || "automatic");
    setTheme(themes[(now + 1) % themes.length]);
  });
  let before = null;
  try { before = localStorage.getItem("errlens-theme"); } catch { /* as above */ }
  if (themes.includes(before) && before !== "automatic") setTheme(before);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
    document.dispatchEvent(new Event("repaint")));

  // ---- pictures: parsed once, after the first paint ----
  let pictures = null;
  const allPictures = () => (pictures ??= read("pictures"));
  function fill(image) {
    const { uris, absent } = allPictures();
    const name = image.dataset.picture;
    if (uris[name]) {
      image.addEventListener("load", () => {
        if (image.naturalWidth > 500) image.classList.add("wide");
      }, { once: true });
      image.src = uris[name];
      return;
    }
    const gone = make("span", { class: "gone" }, `no picture: ${absent[name] || "not made"}`);
    image.replaceWith(gone);
  }
  const fillAll = (within) => within.querySelectorAll("img[data-picture]:not([src])").forEach(fill);
  requestAnimationFrame(() => setTimeout(() => fillAll(document), 0));
  addEventListener("beforeprint", () => fillAll(document));

  function shot(row) {
    const facts = data.facts[row];
    const side = facts.correct ? "right" : facts.correct === false ? "wrong" : "other";
    const sure = facts.confidence === null ? facts.pred_name : facts.confidence;
    const image = make("img", {
      "data-picture": row, alt: `${facts.path}: ${facts.label_name}, taken for ${facts.pred_name}`,
    });
    const truth = facts.label_prob === null ? "" : `true ${facts.label_prob}, `;
    const figure = make("figure", { class: `shot ${side}` },
      make("div", { class: "picture" }, image),
      make("figcaption", {},
        make("span", { class: "said" }, `${{ right: "✓ ", wrong: "✗ ", other: "" }[side]}${sure}`),
        make("span", { class: "file", title: facts.path },
          `${truth}row ${row} ${facts.path.slice(facts.path.lastIndexOf("/") + 1)}`)));
    fill(image);
    return figure;
  }

  // ---- the images of one cell ----
  const matrix = data.matrix;
  if (!matrix) return;
  const nCells = matrix.cells.length / 3;
  const cellAt = (at) => {
    const [t, p, count] = matrix.cells.slice(3 * at, 3 * at + 3);
    return { at, t, p, count };
  };
  const placeOf = new Map();
  for (let at = 0; at < nCells; at++) {
    placeOf.set(matrix.cells[3 * at] * matrix.names.length + matrix.cells[3 * at + 1], at);
  }
  const find = (t, p) => placeOf.get(t * matrix.names.length + p);
  const title = ({ t, p }) => `${matrix.names[t]} → ${matrix.names[p]}`;
  function numbersOf(cell) {
    const n = matrix.n[cell.t], [low, high] = wilson(cell.count, n);
    return `${count(cell.count)} of ${count(n)} image${n === 1 ? "" : "s"} (${percent(cell.count / n)}; ` +
      `95 % interval ${bare(low)} to ${bare(high)} %)`;
  }
  function show(cell, { focus = true } = {}) {
    const [rows, names] = matrix.images[cell.at] || [[], null];
    const panel = by("panel");
    const called = (index) => matrix.selectors[index] ?? matrix.names[index];
    const command = `${data.command} ${quoted(`${called(cell.t)}/${called(cell.p)}`)}`;
    const parts = [make("h3", {}, title(cell)), make("p", { class: "numbers" }, numbersOf(cell))];
    const back = find(cell.p, cell.t);
    if (back !== undefined) {
      const other = cellAt(back);
      parts.push(make("p", {}, make("button", {
        class: "link", type: "button", onclick: () => choose(other),
      }, `the other way: ${title(other)}, ${count(other.count)}`)));
    }
    if (rows.length) parts.push(make("div", { class: "shots" }, ...rows.map(shot)));
    if (names && names.length) {
      const items = names.map((name) => make("li", {}, name));
      parts.push(make("p", { class: "soft" },
        rows.length ? `${count(names.length)} more by name` : "by name"),
        make("ul", { class: "names", tabindex: "0" }, ...items));
    }
    parts.push(make("p", { class: "soft" }, "All of them: ", make("code", {}, command)));
    panel.replaceChildren(...parts);
    panel.dataset.cell = title(cell);
    if (focus) panel.focus({ preventScroll: innerWidth >= 992 });
  }

  // ---- the matrix ----
  // Drawn, like the table below, once the page itself is on the screen.
  const later = (work) => requestAnimationFrame(() => setTimeout(work, 0));
  const canvas = by("canvas");
  let order = matrix.order, place = [], cells = [], current = null, layout = null;

  function choose(cell, given) {
    current = cell;
    draw();
    by("where").textContent = `${title(cell)}: ${numbersOf(cell)}`;
    show(cell, given);
  }
  function focusOn(kind) {
    order = matrix.order;
    if (kind === "most") {
      const wrong = new Map();
      for (let at = 0; at < nCells; at++) {
        const { t, p, count } = cellAt(at);
        wrong.set(t, (wrong.get(t) || 0) + count);
        wrong.set(p, (wrong.get(p) || 0) + count);
      }
      const first = [...wrong.entries()].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, 40);
      const inside = new Set(first.map(([index]) => index));
      order = matrix.order.filter((index) => inside.has(index));
    }
    place = new Array(matrix.names.length).fill(-1);
    order.forEach((index, at) => { place[index] = at; });
    cells = [];
    for (let at = 0; at < nCells; at++) {
      const cell = cellAt(at);
      if (place[cell.t] >= 0 && place[cell.p] >= 0) cells.push(cell);
    }
    if (current && (place[current.t] < 0 || place[current.p] < 0)) current = null;
    draw();
  }
  function colours() {
    const probe = make("span", {});
    document.body.append(probe);
    const found = {};
    for (const name of ["ink", "soft", "line", "sheet", "diagonal", "cell-low", "cell-high", "accent", "marked"]) {
      probe.style.color = `var(--${name})`;
      found[name] = getComputedStyle(probe).color;
    }
    probe.remove();
    return found;
  }
  const rgb = (text) => text.match(/[\d.]+/g).slice(0, 3).map(Number);
  const shortened = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

  function draw() {
    if (!place.length) return;
    const width = canvas.clientWidth || 600, k = order.length, scale = devicePixelRatio || 1;
    const named = k <= 60;
    const letter = named ? Math.max(7, Math.min(12, (width * 0.78) / k * 0.72)) : 0;
    const longest = Math.min(24, Math.max(...order.map((index) => matrix.names[index].length)));
    const margin = named ? Math.min(width * 0.3, longest * letter * 0.58 + 8) : 4;
    const side = width - margin - 4, step = side / k;
    const height = margin + side + 4;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas.style.height = `${height}px`;
    layout = { margin, side, step };
    const pen = canvas.getContext("2d"), colour = colours();
    pen.scale(scale, scale);
    pen.fillStyle = colour.sheet;
    pen.fillRect(margin, margin, side, side);
    const least = Math.max(step, 1.6), gap = step > 8 ? 0.5 : 0;
    const number = (value, across, down, shade) => {
      if (step < 13 || !named) return;
      pen.fillStyle = shade;
      pen.font = `${Math.min(11, step * 0.6)}px system-ui, sans-serif`;
      pen.textAlign = "center";
      pen.textBaseline = "middle";
      pen.fillText(String(value), margin + (across + 0.5) * step, margin + (down + 0.5) * step, step - 1);
    };
    order.forEach((index, at) => {
      if (!matrix.right[index]) return;
      pen.fillStyle = colour.diagonal;
      pen.fillRect(margin + at * step + gap, margin + at * step + gap, least - gap, least - gap);
      number(matrix.right[index], at, at, colour.ink);
    });
    const most = Math.log1p(Math.max(1, ...cells.slice(0, 1).map((cell) => cell.count)));
    const [from, to] = [rgb(colour["cell-low"]), rgb(colour["cell-high"])];
    for (let at = cells.length - 1; at >= 0; at--) {  // the most frequent ones on top
      const { t, p, count } = cells[at];
      const share = Math.min(1, Math.log1p(count) / most);
      pen.fillStyle = `rgb(${from.map((low, i) => Math.round(low + share * (to[i] - low))).join()})`;
      pen.fillRect(margin + place[p] * step + gap, margin + place[t] * step + gap, least - gap, least - gap);
      const dark = (share > 0.5) === (from[0] > to[0]);
      number(count, place[p], place[t], dark ? "#fff" : "#1a1a1a");
    }
    // What there is evidence of: outlined inside of its cell, as in matrix.png.
    const dashes = { mutual: [], likely: [4, 3], "one way": [2, 2] };
    const thick = step < 8 ? 1 : 2, inset = step < 8 ? 0 : 2;
    for (const [kind, t, p] of step < 4 ? [] : matrix.marks) {
      if (place[t] < 0 || place[p] < 0) continue;
      const corner = [margin + place[p] * step + inset, margin + place[t] * step + inset];
      const outline = (shade, width, dash) => {
        pen.strokeStyle = shade;
        pen.lineWidth = width;
        pen.setLineDash(dash);
        pen.strokeRect(...corner, least - 2 * inset, least - 2 * inset);
      };
      outline(colour.sheet, thick + 1.5, []);  // so that it is seen on any colour
      outline(colour.marked, thick, dashes[kind]);
    }
    pen.setLineDash([]);
    pen.lineWidth = 1;
    pen.strokeStyle = colour.line;
    pen.strokeRect(margin, margin, side, side);
    if (named) {
      pen.font = `${letter}px system-ui, sans-serif`;
      pen.fillStyle = colour.soft;
      pen.textBaseline = "middle";
      const room = Math.floor((margin - 6) / (letter * 0.55));
      order.forEach((index, at) => {
        const text = shortened(matrix.names[index], room);
        pen.textAlign = "right";
        pen.fillText(text, margin - 5, margin + (at + 0.5) * step, margin - 6);
        pen.save();
        pen.translate(margin + (at + 0.5) * step, margin - 5);
        pen.rotate(-Math.PI / 2);
        pen.textAlign = "left";
        pen.fillText(text, 0, 0, margin - 6);
        pen.restore();
      });
    }
    if (current) {
      const x = margin + place[current.p] * step, y = margin + place[current.t] * step;
      pen.strokeStyle = colour.accent;
      pen.lineWidth = 2;
      const pad = step < 8 ? 4 : 1;
      pen.strokeRect(x - pad, y - pad, least + 2 * pad, least + 2 * pad);
      if (step < 8) {
        pen.lineWidth = 1;
        pen.globalAlpha = 0.6;
        pen.strokeRect(margin, y + least / 2, side, 0);
        pen.strokeRect(x + least / 2, margin, 0, side);
        pen.globalAlpha = 1;
      }
    }
  }
  function nearest(event) {
    const box = canvas.getBoundingClientRect();
    const x = (event.clientX - box.left - layout.margin) / layout.step - 0.5;
    const y = (event.clientY - box.top - layout.margin) / layout.step - 0.5;
    const reach = Math.max(0.5, 9 / layout.step);  // a finger or a mouse is no pin
    let best = null, least = Infinity;
    for (const cell of cells) {
      const across = Math.abs(place[cell.p] - x), down = Math.abs(place[cell.t] - y);
      if (across > reach || down > reach) continue;
      const distance = across * across + down * down;
      if (distance < least) [best, least] = [cell, distance];
    }
    return best;
  }
  function walk(key) {
    if (!current || key === "Home") return cells[0];
    const here = { x: place[current.p], y: place[current.t] };
    const level = key === "ArrowLeft" || key === "ArrowRight";
    const sign = key === "ArrowRight" || key === "ArrowDown" ? 1 : -1;
    let best = null, least = Infinity;
    for (const cell of cells) {
      const x = place[cell.p] - here.x, y = place[cell.t] - here.y;
      const ahead = sign * (level ? x : y), aside = Math.abs(level ? y : x);
      if (ahead <= 0) continue;
      // Along the row first; else the next row or column that has an error.
      const distance = level ? aside * 1e6 + ahead : ahead * 1e6 + aside;
      if (distance < least) [best, least] = [cell, distance];
    }
    return best || current;
  }
  function follow(cell) {
    current = cell;
    draw();
    by("where").textContent = cell ? `${title(cell)}: ${numbersOf(cell)}. Enter shows the images.` : "";
  }

  if (canvas) {
    const options = [["all", `all ${count(matrix.names.length)} classes`]];
    if (matrix.names.length > 40) options.push(["most", "the 40 with most errors, by name"]);
    by("focus").append(...options.map(([value, text]) => make("option", { value }, text)));
    by("focus").addEventListener("change", () => focusOn(by("focus").value));
    by("strongest").append(make("option", { value: "" }, "choose one"));
    for (let at = 0; at < Math.min(200, nCells); at++) {
      const cell = cellAt(at);
      by("strongest").append(make("option", { value: at }, `${title(cell)}, ${count(cell.count)}`));
    }
    by("strongest").addEventListener("change", () => {
      if (by("strongest").value) choose(cellAt(Number(by("strongest").value)), { focus: false });
    });
    canvas.addEventListener("click", (event) => {
      const cell = nearest(event);
      if (cell) choose(cell, { focus: false });
    });
    canvas.addEventListener("mousemove", (event) => {
      const cell = nearest(event);
      canvas.title = cell ? `${title(cell)}: ${count(cell.count)} of ${count(matrix.n[cell.t])}` : "";
    });
    canvas.addEventListener("keydown", (event) => {
      if (event.key.startsWith("Arrow") || event.key === "Home") {
        event.preventDefault();
        follow(walk(event.key));
      } else if ((event.key === "Enter" || event.key === " ") && current) {
        event.preventDefault();
        choose(current);
      }
    });
    document.addEventListener("repaint", draw);
    later(() => {
      focusOn("all");
      let width = canvas.clientWidth;
      new ResizeObserver(() => {
        if (canvas.clientWidth !== width) { width = canvas.clientWidth; draw(); }
      }).observe(canvas.parentElement);
    });
  }
  for (const button of document.querySelectorAll("button[data-true]")) {
    button.addEventListener("click", () => {
      const at = find(matrix.names.indexOf(button.dataset.true),
        matrix.names.indexOf(button.dataset.pred));
      if (at === undefined) return;
      by("matrix").scrollIntoView();
      choose(cellAt(at));
    });
  }

  // ---- the table of classes: only the rows in sight exist ----
  const classes = data.classes, box = by("classes"), HIGH = 34;
  const taken = new Map();  // the most frequent error of each class
  for (let at = 0; at < nCells; at++) {
    if (!taken.has(matrix.cells[3 * at])) taken.set(matrix.cells[3 * at], at);
  }
  const text = (name) => (index) => classes.texts[name][index];
  const wrongWith = (index) => {
    const at = taken.get(index);
    if (at === undefined) return DASH;
    const cell = cellAt(at);
    return make("button", { class: "link", type: "button", title: title(cell), onclick: () => {
      by("matrix").scrollIntoView();
      choose(cell);
    } }, `${count(cell.count)} as ${matrix.names[cell.p]}`);
  };
  const columns = [
    { name: "class", kind: "name", value: (index) => matrix.names[index].toLowerCase(), text: (index) => matrix.names[index] },
    { name: "recall", kind: "rate", right: true, value: (index) => classes.recall[index], text: text("recall") },
    { name: "precision", kind: "rate", right: true, value: (index) => classes.precision[index], text: text("precision") },
    { name: "F1", kind: "count", right: true, value: (index) => classes.f1[index], text: text("f1") },
    { name: "images", kind: "count", right: true, value: (index) => classes.n[index], text: (index) => count(classes.n[index]) },
    { name: "mostly taken for", kind: "taken", value: (index) => (taken.has(index) ? matrix.cells[3 * taken.get(index) + 2] : 0), text: wrongWith },
    ...(classes.superclass ? [{ name: "superclass", kind: "parent", value: (index) => classes.superclass[index] || "", text: (index) => classes.superclass[index] || DASH }] : []),
  ];
  let sorted = { column: columns.findIndex((column) => column.name === "recall"), down: false };
  let listed = [];
  const head = make("tr", {}), body = make("tbody", {});
  columns.forEach((column, at) => {
    const button = make("button", { type: "button", onclick: () => {
      sorted = { column: at, down: sorted.column === at ? !sorted.down : column.kind === "taken" };
      list();
    } }, column.name);
    head.append(make("th", { scope: "col", class: column.right ? "n" : "" }, button));
  });
  const wide = columns.map(() => make("col", {}));
  const table = make("table", {}, make("colgroup", {}, ...wide), make("thead", {}, head), body);
  box.append(table);

  // Each column has the room of its widest text, also where that is in a row out of sight: no
  // number is cut, and of names only the very long.
  const LONGEST = 480, AROUND = 18;  // pixels
  function giveRoom() {
    const pen = make("canvas").getContext("2d"), { fontSize, fontFamily } = getComputedStyle(table);
    pen.font = `${fontSize} ${fontFamily}`;
    const room = (said) => Math.ceil(pen.measureText(said).width);
    const widths = columns.map((column) => {
      let most = room(`${column.name} ▼`);
      for (let index = 0; index < matrix.names.length; index++) {
        const said = column.text(index);
        most = Math.max(most, room(typeof said === "string" ? said : said.textContent));
      }
      return AROUND + (column.right ? most : Math.min(most, LONGEST));
    });
    wide.forEach((col, at) => { col.style.width = `${widths[at]}px`; });
    table.style.width = `${widths.reduce((sum, width) => sum + width)}px`;
  }

  function list() {
    const wanted = by("search").value.trim().toLowerCase();
    const all = matrix.names.map((_, index) => index);
    listed = wanted ? all.filter((index) => matrix.names[index].toLowerCase().includes(wanted) ||
      (classes.superclass?.[index] || "").toLowerCase().includes(wanted)) : all;
    const { value } = columns[sorted.column], sign = sorted.down ? -1 : 1;
    listed.sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      if (x === y) return a - b;
      if (x === null || y === null) return x === null ? 1 : -1;  // what is not known comes last
      return x < y ? -sign : sign;
    });
    [...head.children].forEach((heading, at) => {
      const mine = at === sorted.column;
      heading.setAttribute("aria-sort", mine ? (sorted.down ? "descending" : "ascending") : "none");
      heading.firstChild.textContent = columns[at].name + (mine ? (sorted.down ? " ▼" : " ▲") : "");
    });
    by("found").textContent = wanted ? `${count(listed.length)} of ${count(all.length)} classes` : `${count(all.length)} classes`;
    box.scrollTop = 0;
    paint();
  }
  function row(index) {
    return make("tr", {}, ...columns.map((column) => {
      const text = column.text(index);
      const cell = make("td", { class: column.right ? "n" : "" }, text);
      if (typeof text === "string" && column.kind !== "count") cell.title = text;
      return cell;
    }));
  }
  function paint(everything = false) {
    const first = everything ? 0 : Math.max(0, Math.floor(box.scrollTop / HIGH) - 10);
    const last = everything ? listed.length : Math.min(listed.length, first + Math.ceil(box.clientHeight / HIGH) + 20);
    const space = (rows) => {
      const cell = make("td", { colspan: columns.length });
      cell.style.height = `${rows * HIGH}px`;
      return make("tr", { class: "space", "aria-hidden": "true" }, cell);
    };
    const focused = body.contains(document.activeElement);
    body.replaceChildren(space(first), ...listed.slice(first, last).map(row), space(listed.length - last));
    if (focused) box.focus({ preventScroll: true });
  }
  let pending = false;
  box.addEventListener("scroll", () => {
    if (pending) return;
    pending = true;
    requestAnimationFrame(() => { pending = false; paint(); });
  });
  by("search").addEventListener("input", list);
  addEventListener("beforeprint", () => paint(true));
  addEventListener("afterprint", () => paint());
  later(() => { giveRoom(); list(); });
})();
