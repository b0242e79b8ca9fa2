// The map of images: pointed at, walked over, chosen from with a line, filtered.
(() => {
  const { by, make, store, marks, later, scatter } = page;
  if (!scatter) return;
  const { all, n, x, y, side, colour, names, WRONG, rowAt, placeOf } = scatter;
  const HIGH = 0.76, LEAST = 320;  // of its width, as the picture is; pixels
  const REACH = 10, MOVED = 4, PAUSE = 60;  // pixels, and milliseconds before an image is asked for
  const canvas = by("scatter-canvas"), tip = by("scatter-tip"), where = by("scatter-where");
  const view = {
    wide: 0, high: 0, current: null, chosen: new Set(), marked: [], line: null, isShown: () => true,
    where: (at) => [x[at] * view.wide, y[at] * view.high],
  };
  let rows = [];  // of those chosen, as they are listed

  // ---- drawing: once a frame ----
  let waiting = false, isStale = true;
  function redraw({ images = false } = {}) {
    isStale ||= images;
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      if (!view.wide) return;
      if (isStale) scatter.drawImages(view);
      isStale = false;
      scatter.draw(canvas, view);
    });
  }
  function fit() {
    const wide = by("scatter-plot").clientWidth;
    if (!wide || wide === view.wide) return;
    Object.assign(view, { wide, high: Math.max(LEAST, Math.round(HIGH * wide)) });
    canvas.style.height = `${view.high}px`;
    redraw({ images: true });
  }

  // ---- what is pointed at ----
  async function described(at) {
    const facts = await store.facts(rowAt(at), { brief: true });
    if (facts.path === undefined) return `row ${rowAt(at)} is not on this page`;
    return `${facts.path}: ${facts.label_name ?? "no label"}${page.judged(facts)}`;
  }
  let turn = 0;
  function point(at, event) {
    const mine = ++turn;
    if (at !== view.current) {
      view.current = at;
      redraw();
    }
    canvas.classList.toggle("pointing", at !== null);
    tip.hidden = true;
    if (at === null) return;
    setTimeout(async () => {
      if (mine !== turn) return;
      const text = await described(at);
      if (mine !== turn) return;
      tip.textContent = text;
      tip.hidden = false;
      tip.style.left = `${Math.min(event.clientX + 14, document.documentElement.clientWidth - tip.offsetWidth - 8)}px`;
      tip.style.top = `${event.clientY + 18}px`;
    }, PAUSE);
  }
  async function walkTo(at) {
    const mine = ++turn;
    view.current = at;
    tip.hidden = true;
    redraw();
    if (at === null) return;
    const text = await described(at);
    if (mine === turn) where.textContent = `${text}${view.chosen.has(at) ? ". Chosen" : ""}. Enter opens it, Space ${view.chosen.has(at) ? "leaves it out" : "chooses it"}.`;
  }
  function open(at) {
    const row = rowAt(at);
    tip.hidden = true;
    page.openImage(row, view.chosen.has(at) ? rows : [row], canvas);
  }

  // ---- those that are chosen ----
  function choose(ats) {
    view.chosen = new Set(ats);
    rows = scatter.showChosen(all.filter((at) => view.chosen.has(at)));
    by("scatter-none").hidden = !rows.length;
    redraw();
  }
  const shown = () => all.filter(view.isShown);
  function toggle(at) {
    const others = [...view.chosen].filter((one) => one !== at);
    choose(view.chosen.has(at) ? others : [...others, at]);
  }

  // ---- listening ----
  function placeIn(event) {
    const frame = canvas.getBoundingClientRect();
    return [(event.clientX - frame.left) / frame.width, (event.clientY - frame.top) / frame.height];
  }
  const under = (event) => scatter.nearest(...placeIn(event), { ...view, reach: REACH + (event.pointerType === "touch" ? REACH : 0) });
  let start = null, last = null;  // where a button was pressed, and where the line ends
  function drop() {
    start = null;
    view.line = null;
    redraw();
  }
  function listenToPointer() {
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !event.isPrimary) return;
      start = last = event;
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!start) return point(under(event), event);
      if (Math.hypot(event.clientX - last.clientX, event.clientY - last.clientY) < MOVED) return;
      if (!view.line) {
        view.line = [placeIn(start)];
        point(null);
      }
      view.line.push(placeIn(event));
      last = event;
      redraw();
    });
    canvas.addEventListener("pointerup", (event) => {
      if (!start) return;
      const { line } = view, at = line ? null : under(event);
      drop();
      if (line) choose([...(event.shiftKey ? view.chosen : []), ...shown().filter(scatter.insideOf(line))]);
      else if (at !== null && event.shiftKey) toggle(at);
      else if (at !== null) open(at);
    });
    canvas.addEventListener("pointercancel", drop);
    canvas.addEventListener("pointerleave", () => { if (!start) point(null); });
    addEventListener("scroll", () => { tip.hidden = true; }, { capture: true, passive: true });
  }
  function listenToKeys() {
    const first = () => all.find((at) => view.isShown(at) && side[at] === WRONG) ?? all.find(view.isShown) ?? null;
    canvas.addEventListener("keydown", (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      const { current } = view, { key } = event;
      if (key === "Escape" && (start || view.chosen.size)) {
        if (start) drop(); else choose([]);
      } else if (key === "Home" || (key.startsWith("Arrow") && current === null)) walkTo(first());
      else if (key.startsWith("Arrow")) walkTo(scatter.beside(current, key, view.isShown));
      else if (key === "Enter" && current !== null) open(current);
      else if (key === " " && current !== null) {
        toggle(current);
        walkTo(current);
      } else return;
      event.preventDefault();
    });
    canvas.addEventListener("blur", () => { where.textContent = ""; });
  }
  function listenToTools() {
    const options = (pairs) => pairs.map(([value, text]) => make("option", { value }, text));
    const [kind, which] = [by("scatter-kind"), by("scatter-side")];
    kind.append(...options(scatter.kinds));
    which.append(...options(scatter.sides));
    which.closest("label").hidden = scatter.sides.length < 3;
    for (const select of [kind, which]) {
      select.addEventListener("change", () => {
        view.isShown = scatter.shownBy(kind.value, which.value);
        if (view.current !== null && !view.isShown(view.current)) view.current = null;
        redraw({ images: true });
      });
    }
    by("scatter-all").addEventListener("click", () => choose(shown()));
    by("scatter-none").addEventListener("click", () => { choose([]); canvas.focus(); });
  }
  function key() {
    const entry = (number, name) => {
      const swatch = make("span", { class: "hue" });
      swatch.style.background = `var(--${scatter.hueOf(number)})`;
      return make("span", {}, swatch, ` ${name}`);
    };
    by("scatter-key").append(...names.map((name, number) => entry(number, name)),
      ...(colour.includes(-1) ? [entry(-1, "other classes")] : []),
      ...(side.includes(WRONG) ? [make("span", {}, "✕ an error")] : []));
  }
  function showMarks() {
    view.marked = marks.rows().map(placeOf).filter((at) => at !== undefined);
    redraw({ images: true });
  }
  later(() => {
    if (!n) return;
    by("scatter").hidden = false;
    listenToPointer();
    listenToKeys();
    listenToTools();
    key();
    showMarks();
    fit();
    new ResizeObserver(fit).observe(by("scatter-plot"));
    document.addEventListener("repaint", () => redraw({ images: true }));
    document.addEventListener("marks", showMarks);
  });
})();
