// The confusion matrix: what of it is in sight, which cell is chosen, and walking through it.
(() => {
  const { by, data, make, count, bare, later, cellAt, nCells, title } = page;
  const matrix = data.matrix;
  if (!matrix) return;
  const { find, nameOf, cellCalled, numbersOf, images, options, isChoice, zoomed, stretches,
    label, NAMED, draw, largest, onScale, textOf, show } = page.matrix;
  const canvas = by("canvas"), OFFERED = 5000;  // names to complete what is typed
  const state = { focus: "all", find: "", rates: false };  // as in the address
  let view = null, current = null;

  // ---- what is in sight ----
  function seen() {
    const zoom = zoomed(state), place = new Int32Array(matrix.names.length).fill(-1);
    zoom.order.forEach((index, at) => { place[index] = at; });
    const ats = [];
    for (let at = 0; at < nCells; at++) {
      if (place[matrix.cells[3 * at]] >= 0 && place[matrix.cells[3 * at + 1]] >= 0) ats.push(at);
    }
    return { ...zoom, place, ats, rates: state.rates, stretches: stretches(zoom.order) };
  }
  const isMeant = ({ t, p }) => !view.of || view.of.has(t) || view.of.has(p);
  const isSeen = (cell) => view.place[cell.t] >= 0 && view.place[cell.p] >= 0 && isMeant(cell);
  const strongest = () => {
    const at = view.ats.find((one) => isMeant(cellAt(one)));
    return at === undefined ? null : cellAt(at);
  };
  // The controls say what is in sight, whoever asked for it.
  function controls() {
    by("focus").value = state.focus;
    if (by("class").value !== state.find) by("class").value = state.find;
    by(state.rates ? "rates" : "counts").checked = true;
  }
  function look(changes = {}) {
    Object.assign(state, changes);
    controls();
    const next = seen();
    by("shown").textContent = next.told;
    if (!next.order.length) return;  // a name that no class has: what was seen stays
    view = next;
    view.most = largest(view);
    scale();
    place();
    if (!view.told && view.order.length > NAMED) {
      by("shown").textContent = `Names and numbers appear where at most ${NAMED} classes are shown: choose a part, or type a name.`;
    }
    if (!current || !isSeen(current)) choose(strongest(), { write: false, seek: false });
    else point();
  }
  function place() {
    Object.assign(view, label(view.order, view.stretches, by("plot").clientWidth));
    draw(canvas, view);
  }
  // The ends of the colours, and a third of the way, where half of them are.
  function scale() {
    const { most, rates } = view;
    const middle = rates ? most / 3 : Math.round(most / 3);
    const unit = rates ? " %" : images(most).slice(count(most).length);
    const ticks = [[0, "0"], [most, `${rates ? bare(most) : textOf(view, most)}${unit}`]];
    if (middle > 0) ticks.splice(1, 0, [middle, rates ? bare(middle) : textOf(view, middle)]);
    by("ticks").replaceChildren(...ticks.map(([value, text]) => {
      const tick = make("span", {}, text);
      tick.style.left = `${100 * onScale(value, most)}%`;
      return tick;
    }));
    by("key").hidden = !most;
  }

  // ---- the cell that is chosen ----
  function point() {
    const cursor = by("cursor");
    cursor.hidden = !current;
    if (!current) return;
    view.mark(view.place[current.t], view.place[current.p]);
    const { step } = view, pad = step < 8 ? 4 : 1, wide = Math.max(step, 1.6) + 2 * pad;
    const [x, y] = [view.place[current.p] * step - pad, view.place[current.t] * step - pad];
    Object.assign(cursor.style, { left: `${x}px`, top: `${y}px`, width: `${wide}px`, height: `${wide}px` });
    cursor.classList.toggle("tiny", step < 8);
  }
  function say(more = "") {
    by("where").textContent = current ? `${title(current)}: ${numbersOf(current)}${more}` : "";
  }
  function choose(cell, { focus = false, write = true, seek = true } = {}) {
    current = cell;
    if (cell && !isSeen(cell)) return look({ focus: "all", find: "" }), choose(cell, { focus, write, seek });
    point();
    say();
    show(cell);
    if (cell && seek) reveal();
    by("strongest").value = cell && cell.at < by("strongest").length - 1 ? cell.at : "";
    if (write) writeAddress();
    if (focus) by("panel").focus({ preventScroll: innerWidth >= 992 });
  }
  function reveal() {
    const plot = by("plot"), beside = view.left - view.outside;  // covered by the names
    const x = view.left + view.place[current.p] * view.step - plot.scrollLeft;
    if (x >= beside && x + view.step <= plot.clientWidth) return;
    // By whole columns, so that the names on the left cover none by half.
    const columns = Math.round((plot.scrollLeft - view.outside + x - (beside + plot.clientWidth) / 2) / view.step);
    plot.scrollLeft = columns > 0 ? view.outside + columns * view.step : 0;
  }

  // ---- the address ----
  function address() {
    const known = {
      focus: state.focus === "all" ? "" : state.focus, class: state.find.trim(),
      numbers: state.rates ? "rates" : "", cell: current ? nameOf(current) : "",
    };
    return `#matrix?${new URLSearchParams(Object.entries(known).filter(([, value]) => value))}`;
  }
  function writeAddress() {
    try { history.replaceState(history.state, "", address()); } catch { /* a page without an address */ }
  }
  function readAddress() {
    if (!location.hash.startsWith("#matrix?")) return;
    const said = new URLSearchParams(location.hash.slice("#matrix?".length));
    const followed = history.state === null;  // else come back to: the browser knows where we were
    if (!followed && `#matrix?${said}` === address()) return;
    const focus = said.get("focus") ?? "all";
    Object.assign(state, {
      focus: isChoice(focus) ? focus : "all", find: said.get("class") ?? "", rates: said.get("numbers") === "rates",
    });
    current = null;
    look();
    const cell = cellCalled(said.get("cell") ?? "");
    if (cell) choose(cell, { write: false });
    if (followed) by("matrix").scrollIntoView();
  }

  // ---- pointing and walking ----
  // Where a pointer is, in cells: the middle of the first one is at 0, 0.
  function placeOf(event) {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top].map((at) => at / view.step - 0.5);
  }
  function nearest(event) {
    const { step, order } = view, [x, y] = placeOf(event);
    const reach = Math.max(0.5, 9 / step);  // a finger or a mouse is no pin
    const first = (at) => Math.max(0, Math.ceil(at - reach)), last = (at) => Math.min(order.length - 1, Math.floor(at + reach));
    let best = null, least = Infinity;
    for (let down = first(y); down <= last(y); down++) {
      for (let across = first(x); across <= last(x); across++) {
        const distance = (across - x) ** 2 + (down - y) ** 2;
        const at = distance < least ? find(order[down], order[across]) : undefined;
        if (at !== undefined) [best, least] = [at, distance];
      }
    }
    return best === null ? null : cellAt(best);
  }
  function walk(key) {
    if (!current || key === "Home") return strongest();
    const [hereX, hereY] = [view.place[current.p], view.place[current.t]];
    const level = key === "ArrowLeft" || key === "ArrowRight";
    const sign = key === "ArrowRight" || key === "ArrowDown" ? 1 : -1;
    let best = current.at, least = Infinity;
    for (const at of view.ats) {
      const x = view.place[matrix.cells[3 * at + 1]] - hereX, y = view.place[matrix.cells[3 * at]] - hereY;
      const ahead = sign * (level ? x : y), aside = Math.abs(level ? y : x);
      if (ahead <= 0) continue;
      // Along the row first; else the next row or column that has an error.
      const distance = level ? aside * 1e6 + ahead : ahead * 1e6 + aside;
      if (distance < least) [best, least] = [at, distance];
    }
    return cellAt(best);
  }
  function follow(cell) {
    current = cell;
    point();
    say(". Enter shows the images.");
    if (cell) reveal();
  }
  // What is under a pointer: an error, or what of a class is right; else that there is nothing.
  function underneath(event) {
    const cell = nearest(event);
    if (cell || view.step < 8) return cell;
    const [p, t] = placeOf(event).map((at) => view.order[Math.round(at)]);
    if (t === undefined || p === undefined) return null;
    return { t, p, count: t === p ? matrix.right[t] : 0 };
  }
  function tell(event) {
    const cell = underneath(event), tip = by("tip");
    const shown = cell ?? current;
    if (shown) view.mark(view.place[shown.t], view.place[shown.p]);
    tip.hidden = !cell;
    if (!cell) return;
    const n = matrix.n[cell.t];
    const said = n ? `${count(cell.count)} of ${count(n)}, ${bare(cell.count / n)} %` : "no images";
    tip.textContent = cell.t === cell.p ? `${matrix.names[cell.t]}, right: ${said}` : `${title(cell)}: ${said}`;
    tip.style.left = `${Math.min(event.clientX + 14, document.documentElement.clientWidth - tip.offsetWidth - 8)}px`;
    tip.style.top = `${event.clientY + 18}px`;
  }

  // ---- listening ----
  function change(changes) {
    look(changes);
    writeAddress();
  }
  function zoomTo({ superclass, class: index }) {
    if (superclass !== undefined) change({ focus: `superclass:${superclass}`, find: "" });
    else change({ focus: "all", find: matrix.names[index] });
  }
  function listen() {
    by("focus").append(...options());
    by("focus").addEventListener("change", () => change({ focus: by("focus").value, find: "" }));
    by("class").addEventListener("focus", () => {
      const offered = matrix.names.length > OFFERED ? [] : matrix.names;
      by("class-names").append(...offered.map((name) => make("option", { value: name })));
    }, { once: true });
    by("class").addEventListener("input", () => change({ focus: "all", find: by("class").value }));
    for (const kind of ["counts", "rates"]) {
      by(kind).addEventListener("change", () => change({ rates: by("rates").checked }));
    }
    by("strongest").append(make("option", { value: "" }, "choose one"));
    for (let at = 0; at < Math.min(200, nCells); at++) {
      const cell = cellAt(at);
      by("strongest").append(make("option", { value: at }, `${title(cell)}, ${count(cell.count)}`));
    }
    by("strongest").addEventListener("change", () => {
      if (by("strongest").value) choose(cellAt(Number(by("strongest").value)));
    });
    by("plot").addEventListener("click", (event) => {
      const name = event.target.closest(".name");
      const cell = event.target === canvas ? nearest(event) : null;
      if (name) zoomTo(name.dataset);
      else if (cell) {
        choose(cell);
        // On a narrow page the images are below, out of sight.
        if (by("panel").getBoundingClientRect().top > 0.7 * innerHeight) by("panel").scrollIntoView();
      }
    });
    addEventListener("scroll", () => { by("tip").hidden = true; }, { capture: true, passive: true });
    canvas.addEventListener("mousemove", tell);
    canvas.addEventListener("mouseleave", () => { by("tip").hidden = true; point(); });
    canvas.addEventListener("keydown", (event) => {
      if (event.key.startsWith("Arrow") || event.key === "Home") {
        event.preventDefault();
        follow(walk(event.key));
      } else if ((event.key === "Enter" || event.key === " ") && current) {
        event.preventDefault();
        choose(current, { focus: true });
      }
    });
    document.addEventListener("repaint", () => draw(canvas, view));
    addEventListener("beforeprint", () => draw(canvas, view, "light"));
    addEventListener("afterprint", () => draw(canvas, view));
    addEventListener("hashchange", readAddress);
  }
  if (canvas) {
    later(() => {
      listen();
      look();
      readAddress();
      let width = by("plot").clientWidth;
      new ResizeObserver(() => {
        if ([0, width].includes(by("plot").clientWidth)) return;  // out of sight, or as it was
        width = by("plot").clientWidth;
        place();
        point();
      }).observe(by("plot"));
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
  page.choose = choose;
})();
