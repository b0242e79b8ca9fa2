// From cell to cell by keys: one of them takes the focus of the map.
(() => {
  const { by, place, tileOf } = page;
  if (!place) return;
  const cells = by("cells"), where = by("where");
  const sides = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

  function walkFrom(cell) {
    for (const tile of cells.querySelectorAll('[tabindex="0"]')) tile.tabIndex = -1;
    if (tileOf(cell)) tileOf(cell).tabIndex = 0;
  }
  // The next cell to one side: straight ahead if there is one, else what lies nearest to that line.
  function beside(cell, [down, right]) {
    const { map } = place;
    let best = cell, least = Infinity;
    for (let other = 0; other < map.n; other++) {
      const rows = map.row[other] - map.row[cell], columns = map.column[other] - map.column[cell];
      const ahead = down * rows + right * columns, aside = Math.abs(down ? columns : rows);
      if (ahead <= 0 || aside > ahead) continue;
      const distance = ahead + 3 * aside;
      if (distance < least) [best, least] = [other, distance];
    }
    return best;
  }
  cells.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const cell = Number(event.target.closest(".cell").dataset.cell);
    const next = sides[event.key] ? beside(cell, sides[event.key]) : event.key === "Home" ? 0 : event.key === "End" ? place.map.n - 1 : null;
    if (event.key === "Escape" && place.cell !== null) page.goTo({ cell: null });
    else if (next === null) return;
    else tileOf(next).focus({ preventScroll: true });
    event.preventDefault();
  });
  cells.addEventListener("focusin", (event) => {
    const cell = Number(event.target.closest(".cell").dataset.cell);
    walkFrom(cell);
    page.bring(cell);
    where.textContent = page.described(cell);
  });
  cells.addEventListener("focusout", () => { where.textContent = ""; });
  cells.addEventListener("click", (event) => {
    const tile = event.target.closest(".cell");
    if (tile) page.openCell(Number(tile.dataset.cell));
  });
  Object.assign(page, { walkFrom });
})();
