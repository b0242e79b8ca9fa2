// What is shown, which the address holds: `#layer=layer4&map=render&class=cat&cell=7`. The event
// "place" tells of each change.
(() => {
  const { maps, names } = page;
  if (!maps.length) return;
  const numbers = new Map(names.map((name, number) => [name, number]));
  const place = {};
  const found = (least, most, text) => (/^\d{1,9}$/.test(text ?? "") && least <= text && text < most ? Number(text) : null);

  // How a map is shown at first: what it is of weighs its cells.
  const first = (map) => ({
    map, cell: null, weigh: map.of[0] ?? null, against: map.of[1] ?? null, icons: "patches", labels: true, sizes: true, view: null,
  });
  function written({ map, cell, weigh, against, icons, labels, sizes, view }) {
    const fields = new URLSearchParams({ layer: map.layer, map: map.name }), usual = first(map);
    const nameOf = (number) => (number === null ? "" : names[number]);
    if (weigh !== usual.weigh) fields.set("class", nameOf(weigh));
    if (against !== usual.against) fields.set("against", nameOf(against));
    if (icons !== usual.icons) fields.set("icons", icons);
    if (!labels) fields.set("labels", "off");
    if (!sizes) fields.set("sizes", "off");
    if (view) fields.set("view", view.map((number) => Number(number.toFixed(2))).join(","));
    if (cell !== null) fields.set("cell", cell);
    return `#${fields}`;
  }
  function parsed(address) {
    const fields = new URLSearchParams(address.replace(/^#/, ""));
    const of = (layer) => maps.filter((map) => map.layer === layer);
    const among = of(fields.get("layer")).length ? of(fields.get("layer")) : maps;
    const map = among.find((each) => each.name === fields.get("map")) ?? among[0];
    const told = first(map);
    if (fields.has("class")) told.weigh = numbers.get(fields.get("class")) ?? null;
    if (fields.has("against")) told.against = numbers.get(fields.get("against")) ?? null;
    if (told.weigh === null) told.against = null;
    if (fields.get("icons") === "optimised" && map.hasBoth) told.icons = "optimised";
    told.labels = fields.get("labels") !== "off";
    told.sizes = fields.get("sizes") !== "off";
    told.cell = found(0, map.n, fields.get("cell"));
    const view = (fields.get("view") ?? "").split(",").map(Number);
    if (view.length === 3 && view.every(Number.isFinite) && view[0] > 0) told.view = view;
    return told;
  }

  const tell = () => document.dispatchEvent(new Event("place"));
  function goTo(change, { replace = false } = {}) {
    Object.assign(place, change);
    history[replace ? "replaceState" : "pushState"](null, "", written(place));
    tell();
  }
  // Where the map was moved to belongs to what is shown, and is no step of its own.
  const note = () => history.replaceState(null, "", written(place));
  function follow() {
    Object.assign(place, parsed(location.hash));
    tell();
  }
  addEventListener("popstate", follow);
  // Another map, as far as it can be shown in the same way.
  function goToMap(map) {
    const { weigh, against, icons, labels, sizes } = place, usual = first(map);
    const kept = map.kind === "render" && place.map.kind === "render" ? { weigh, against } : {};
    goTo({ ...usual, ...kept, icons: map.hasBoth ? icons : usual.icons, labels, sizes });
  }
  Object.assign(page, { place, goTo, goToMap, note, follow, written });
})();
