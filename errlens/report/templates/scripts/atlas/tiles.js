// The cells of a map as tiles: made once a map, and then only changed.
(() => {
  const { by, make, names, place, count } = page;
  if (!place) return;
  const SMALLEST = 0.45;  // of a tile's side, so that cells of few points can be hit
  const frame = by("cells");
  let shown = null, tiles = [];

  function tile(map, cell) {
    const face = make("span", { class: "face" }, make("img", { alt: "", draggable: "false" }));
    const label = make("span", { class: "label", dir: "auto" }, names[map.top[cell]]);
    const button = make("button", { type: "button", class: "cell", tabindex: "-1", "data-cell": cell }, face, label);
    button.style.setProperty("--row", map.row[cell]);
    button.style.setProperty("--column", map.column[cell]);
    return button;
  }
  function build(map) {
    tiles = Array.from({ length: map.n }, (_, cell) => tile(map, cell));
    frame.replaceChildren(...tiles);
    frame.style.setProperty("--rows", map.rows);
    frame.style.setProperty("--columns", map.columns);
    page.walkFrom(0);
  }
  const counted = (n, noun) => `${count(n)} ${noun}${n === 1 ? "" : "s"}`;
  const points = (map, cell) => `${counted(map.points[cell], "point")} of ${counted(map.images[cell], "image")}`;
  function described(map, cell, weights = page.weightsOf(place)) {
    const suspect = map.suspectOf(cell);
    return [
      `Cell ${cell}: adds most to ${names[map.top[cell]]}`, points(map, cell),
      ...(weights ? [page.addsTo(place, weights.values[cell])] : []), ...(suspect ? [`suspect ${suspect.rank}`] : []),
    ].join(", ");
  }

  function draw() {
    const { map, icons, labels, sizes, cell: open } = place, weights = page.weightsOf(place);
    if (shown !== map) build(map);
    shown = map;
    frame.classList.toggle("labelled", labels);
    tiles.forEach((button, cell) => {
      const picture = button.querySelector("img"), uri = map.icon(cell, icons);
      if (uri === null) picture.remove();
      else if (picture && picture.src !== uri) picture.src = uri;
      const share = sizes ? Math.max(SMALLEST, Math.sqrt(map.points[cell] / map.mostPoints)) : 1;
      button.style.setProperty("--share", share.toFixed(3));
      button.style.setProperty("--weight", weights ? weights.opacity(cell).toFixed(3) : 1);
      button.dataset.side = weights ? weights.side(cell) : "";
      button.toggleAttribute("data-suspect", Boolean(map.suspectOf(cell)));
      const text = described(map, cell, weights);
      button.setAttribute("aria-label", text);
      button.title = text;
      if (cell === open) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    });
  }
  Object.assign(page, { draw, tileOf: (cell) => tiles[cell], counted, points, described: (cell) => described(place.map, cell) });
})();
