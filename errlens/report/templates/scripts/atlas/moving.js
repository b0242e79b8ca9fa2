// The map is moved and zoomed: by pointer, wheel, fingers, keys and buttons. `x` and `y` are the middle of
// the view in cells, `zoom` is 1 where the whole map is seen.
(() => {
  const { by, place } = page;
  if (!place) return;
  const LARGEST = 260, STEP = 1.35, MOVED = 4, PAUSE = 250;  // pixels of a cell, a step of zoom, pixels, milliseconds
  const plot = by("plot"), cells = by("cells");
  const view = { zoom: 1, x: 0, y: 0 };
  const wholeCell = () => Math.min(plot.clientWidth / place.map.columns, plot.clientHeight / place.map.rows);
  const cellNow = () => wholeCell() * view.zoom;
  const within = (least, value, most) => Math.min(Math.max(value, least), most);

  let noting = 0;
  function move(change = {}) {
    const { map } = place;
    Object.assign(view, change);
    view.zoom = within(1, view.zoom, Math.max(1, LARGEST / wholeCell()));
    // What is seen is the map, not what lies beside it.
    for (const [axis, n, room] of [["x", map.columns, plot.clientWidth], ["y", map.rows, plot.clientHeight]]) {
      const half = room / cellNow() / 2;
      view[axis] = half * 2 >= n ? n / 2 : within(half, view[axis], n - half);
    }
    const cell = cellNow();
    cells.style.setProperty("--cell", `${cell}px`);
    cells.style.transform = `translate(${plot.clientWidth / 2 - view.x * cell}px, ${plot.clientHeight / 2 - view.y * cell}px)`;
    cells.classList.toggle("near", cell >= 48);
    plot.classList.toggle("zoomed", view.zoom > 1);
    by("out").disabled = by("whole").disabled = view.zoom <= 1;
    by("in").disabled = cell >= LARGEST - 1;
  }
  const viewNow = () => (view.zoom > 1 ? [view.zoom, view.x, view.y] : null);
  function moved(change) {
    move(change);
    place.view = viewNow();
    clearTimeout(noting);
    noting = setTimeout(page.note, PAUSE);
  }
  // What is under a point of the plot stays there.
  function zoomBy(factor, [left, top] = [plot.clientWidth / 2, plot.clientHeight / 2]) {
    const before = cellNow(), [across, down] = [left - plot.clientWidth / 2, top - plot.clientHeight / 2];
    const zoom = within(1, view.zoom * factor, Math.max(1, LARGEST / wholeCell())), after = wholeCell() * zoom;
    moved({ zoom, x: view.x + across / before - across / after, y: view.y + down / before - down / after });
  }
  const panBy = (right, down) => moved({ x: view.x - right / cellNow(), y: view.y - down / cellNow() });
  const whole = () => moved({ zoom: 1 });
  function fit() {
    clearTimeout(noting);
    const [zoom, x, y] = place.view ?? [1, 0, 0];
    const high = plot.clientWidth * place.map.rows / place.map.columns;
    plot.style.height = `${Math.round(within(220, high, Math.max(320, innerHeight * 0.78)))}px`;
    move({ zoom, x, y });
  }
  function bring(cell) {
    const { map } = place, room = [plot.clientWidth, plot.clientHeight].map((side) => side / cellNow() / 2);
    const into = (now, at, half) => within(at + 1 - half, now, at + half);
    moved({ x: into(view.x, map.column[cell], room[0]), y: into(view.y, map.row[cell], room[1]) });
  }

  // ---- pointers: one drags, two zoom ----
  const held = new Map();
  let dragged = false;
  const inPlot = ({ clientX, clientY }) => {
    const frame = plot.getBoundingClientRect();
    return [clientX - frame.left, clientY - frame.top];
  };
  const middle = ([a, b]) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  const apart = ([a, b]) => Math.hypot(a[0] - b[0], a[1] - b[1]) || 1;
  plot.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    held.set(event.pointerId, inPlot(event));
    if (held.size === 1) dragged = false;
  });
  addEventListener("pointermove", (event) => {
    const before = held.get(event.pointerId);
    if (!before) return;
    const now = inPlot(event);
    if (!dragged && held.size === 1 && Math.hypot(now[0] - before[0], now[1] - before[1]) < MOVED) return;
    dragged = true;
    plot.classList.add("dragged");
    const [was, is] = [[...held.values()], [...held.set(event.pointerId, now).values()]];
    if (is.length === 1) panBy(now[0] - before[0], now[1] - before[1]);
    else if (is.length === 2) {
      zoomBy(apart(is) / apart(was), middle(was));
      panBy(middle(is)[0] - middle(was)[0], middle(is)[1] - middle(was)[1]);
    }
  });
  for (const name of ["pointerup", "pointercancel"]) {
    addEventListener(name, (event) => {
      held.delete(event.pointerId);
      if (!held.size) plot.classList.remove("dragged");
    });
  }
  // What ends a drag opens nothing.
  plot.addEventListener("click", (event) => {
    if (dragged && event.detail > 0) event.stopPropagation();
    dragged = false;
  }, true);
  plot.addEventListener("wheel", (event) => {
    if (event.deltaY > 0 && view.zoom <= 1) return;  // then the page scrolls
    event.preventDefault();
    zoomBy(Math.exp(-within(-200, event.deltaY * (event.deltaMode === 1 ? 30 : 1), 200) / 300), inPlot(event));
  }, { passive: false });
  plot.addEventListener("scroll", () => plot.scrollTo(0, 0));  // a focus below the edge must not shift it

  // ---- keys and buttons ----
  const steps = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  plot.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const { key } = event, onPlot = event.target === plot;
    if (key === "+" || key === "=") zoomBy(STEP);
    else if (key === "-") zoomBy(1 / STEP);
    else if (onPlot && steps[key]) panBy(...steps[key].map((step) => step * plot.clientWidth / 6));
    else if (onPlot && key === "Home") whole();
    else return;
    event.preventDefault();
  });
  by("in").addEventListener("click", () => zoomBy(STEP));
  by("out").addEventListener("click", () => zoomBy(1 / STEP));
  by("whole").addEventListener("click", whole);
  Object.assign(page, { fit, bring, isAt: (other) => String(other) === String(viewNow()) });
})();
