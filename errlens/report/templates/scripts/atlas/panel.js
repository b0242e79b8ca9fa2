// The panel of a cell: what it adds to classes, where its points come from, which cells are alike.
(() => {
  const { by, make, names, place, percent, count } = page;
  if (!place) return;
  const panel = by("panel"), report = by("atlas").dataset.report;
  const images = new Map(Object.entries(page.data.images));
  const heading = (text) => make("h3", {}, text);
  const picture = (uri, alt) => (uri ? make("img", { src: uri, alt }) : make("span", { class: "bare" }));

  function icons(map, cell) {
    const kinds = map.hasBoth ? [["patches", "nearest patch"], ["optimised", "optimised"]] : [["patches", ""]];
    return make("div", { class: "icons" }, ...kinds.map(([kind, caption]) => make("figure", {},
      picture(map.icon(cell, kind), caption || "Icon of the cell"), ...(caption ? [make("figcaption", {}, caption)] : []))));
  }
  function suspicion(map, cell) {
    const suspect = map.suspectOf(cell);
    if (!suspect) return [];
    const background = suspect.background === null ? "" : `; ${percent(suspect.background)} of it lies on the background`;
    return [heading(`Suspect ${suspect.rank} of ${names[map.of[0]]}`), make("p", {},
      `${percent(suspect.share)} of what speaks for ${names[map.of[0]]} comes from here, where most speaks for ${names[suspect.other]}. ` +
      `Points of ${page.counted(suspect.images, "image")}, ${count(suspect.others)} of other classes${background}.`),
    ...map.pastedOf(cell).map((text) => make("p", { class: "verdict" }, text))];
  }
  function sources(map, cell) {
    const found = map.sourcesOf(cell);
    return [heading("Nearest photos"), make("ul", { class: "sources" }, ...found.map((source) => {
      const [name, label, pred] = images.get(String(source.row)) ?? ["", -1, -1];
      const said = [label < 0 ? "no label" : names[label], ...(pred >= 0 && pred !== label ? [names[pred]] : [])];
      const judged = said.join(" → ");
      const inside = [picture(source.picture, ""), make("span", { class: "name", title: name }, name.split("/").at(-1)),
        make("span", { class: "soft", title: judged }, ...said.flatMap((text, at) => [...(at ? [" → "] : []), make("bdi", {}, text)]))];
      const where = `place ${source.down}, ${source.across} of the layer`;
      const about = `${name}: ${judged}; row ${source.row}, ${where}, cosine ${source.similarity.toFixed(3)}`;
      const href = `${report}#images?image=${source.row}`;
      return make("li", {}, report ? make("a", { href, title: about, "aria-label": about }, ...inside) :
        make("span", { class: "source", title: about }, ...inside, make("span", { class: "unseen" }, about)));
    }))];
  }
  function neighbours(map, cell) {
    if (!map.near[cell].length) return [];
    const onto = ([other, alike]) => make("li", {}, make("button",
      { type: "button", title: page.described(other), "data-near": other, onclick: () => openCell(other, { from: "panel" }) },
      picture(map.icon(other, place.icons), ""), make("span", { class: "name", dir: "auto" }, `${other} ${names[map.top[other]]}`),
      make("span", { class: "soft" }, `cosine ${alike.toFixed(3)}`)));
    return [heading("Cells with like activations"), make("ul", { class: "alike" }, ...map.near[cell].map(onto))];
  }

  let shown = null;
  function showPanel({ isNew }) {
    const { map, cell, weigh, against, icons: kind } = place;
    panel.hidden = cell === null;
    const key = cell === null ? null : [map.number, cell, weigh, against, kind].join(" ");
    if (key === shown) return;
    shown = key;
    if (cell === null) return panel.replaceChildren();
    const title = make("h2", { tabindex: "-1" }, `Cell ${cell}: adds most to ${names[map.top[cell]]}`);
    const shut = make("button", { type: "button", class: "shut", "aria-label": "Close the cell", onclick: close }, "×");
    const where = `in row ${map.row[cell] + map.first.row}, column ${map.column[cell] + map.first.column}`;
    panel.replaceChildren(make("div", { class: "head" }, title, shut), make("p", { class: "soft" }, `${page.points(map, cell)}, ${where}.`),
      icons(map, cell), ...suspicion(map, cell), heading("What it adds to classes"), page.bars(map, cell, [weigh, against]),
      ...sources(map, cell), ...neighbours(map, cell));
    if (isNew) title.focus({ preventScroll: innerWidth > 900 });
  }
  function openCell(cell, { from = "map" } = {}) {
    page.goTo({ cell });
    if (from === "panel") page.bring(cell);
    page.walkFrom(cell);
  }
  function close() {
    const { cell } = place;
    page.goTo({ cell: null });
    page.tileOf(cell)?.focus({ preventScroll: true });
  }
  panel.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
  Object.assign(page, { showPanel, openCell });
})();
