// The table of classes: only the rows in sight exist.
(() => {
  const { by, data, DASH, make, count, later, cellAt, nCells, title, choose } = page;
  const matrix = data.matrix;
  if (!matrix) return;
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
  page.hinted(box);

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
    // Beside its rows the box holds the head, its border and, where there is one, a scroll bar.
    box.style.setProperty("--around", `${head.offsetHeight + box.offsetHeight - box.clientHeight}px`);
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
