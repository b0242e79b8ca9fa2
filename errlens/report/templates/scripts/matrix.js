// The confusion matrix, and the images of a cell.
(() => {
  const { by, data, make, count, bare, percent, quoted, wilson, later, shot } = page;
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
  Object.assign(page, { cellAt, nCells, title, choose });
})();
