// What stands above and below the map: selects, the key, suspects, and what is said of the map.
(() => {
  const { by, make, names, maps, layers, mapsOf, place, goTo, goToMap, count, percent } = page;
  if (!place) return;
  const option = (value, text) => make("option", { value }, text);
  const cut = (text) => (text.length > 60 ? `${text.slice(0, 59)}…` : text);
  const numberIn = (select) => (select.value === "" ? null : Number(select.value));
  const TITLES = { render: "all classes", class: "class", compare: "pair" };

  function fill() {
    by("layer").append(...layers.map((layer, at) => option(at, cut(layer))));
    by("weigh").append(option("", "nothing"), ...names.map((name, of) => option(of, cut(name))));
    by("against").append(option("", "nothing"), ...names.map((name, of) => option(of, cut(name))));
    by("layer").addEventListener("change", (event) => {
      const those = mapsOf(layers[event.target.value]);
      goToMap(those.find((map) => map.name === place.map.name) ?? those[0]);
    });
    by("map").addEventListener("change", (event) => goToMap(maps[event.target.value]));
    by("weigh").addEventListener("change", (event) => {
      const weigh = numberIn(event.target);
      goTo({ weigh, against: weigh === null ? null : place.against });
    });
    by("against").addEventListener("change", (event) => goTo({ against: numberIn(event.target) }));
    by("icons").addEventListener("change", (event) => goTo({ icons: event.target.value }));
    for (const name of ["labels", "sizes"]) by(name).addEventListener("change", (event) => goTo({ [name]: event.target.checked }));
  }
  function mapOptions(layer) {
    return mapsOf(layer).map((map) => option(map.number, map.kind === "render" ? TITLES.render : `${TITLES[map.kind]} ${cut(map.title)}`));
  }
  let listed = null;
  function showTools() {
    const { map, weigh, against, icons, labels, sizes } = place;
    if (listed !== map.layer) by("map").replaceChildren(...mapOptions(map.layer));
    listed = map.layer;
    by("layer").value = layers.indexOf(map.layer);
    by("map").value = map.number;
    by("weigh").value = weigh ?? "";
    by("against").value = against ?? "";
    by("against").closest("label").hidden = weigh === null;
    by("icons").value = icons;
    by("icons").closest("label").hidden = !map.hasBoth;
    by("labels").checked = labels;
    by("sizes").checked = sizes;
    for (const section of document.querySelectorAll(".of-map")) section.hidden = Number(section.dataset.map) !== map.number;
    showKey();
    showSuspects(map);
  }
  function showKey() {
    const { map, weigh, against, sizes } = place, swatch = (side) => make("span", { class: "swatch", "data-side": side });
    const parts = ["Each cell is a region of the map, named after the class that it adds the most to."];
    if (sizes) parts.push(`The larger, the more points: ${count(map.leastPoints)} to ${count(map.mostPoints)}.`);
    if (weigh !== null) {
      const told = against === null ? [`adds to ${names[weigh]}`, `takes from ${names[weigh]}`] :
        [`adds more to ${names[weigh]}`, `adds more to ${names[against]}`];
      parts.push(...["for", "against"].map((side, at) => make("span", {}, swatch(side), ` ${told[at]}`)), "The fainter, the less.");
    }
    if (map.suspects.length) parts.push("A dot marks suspects.");
    by("key").replaceChildren(...parts.map((part) => (typeof part === "string" ? make("span", {}, part) : part)));
  }
  function showSuspects(map) {
    const some = map.suspects.slice(0, 10);
    by("suspects").hidden = !some.length;
    if (!some.length) return;
    by("suspects").replaceChildren(make("h2", {}, `Suspects of ${names[map.of[0]]}`),
      make("p", { class: "soft" }, "Cells that speak for it, and more for another class."),
      make("ol", {}, ...some.map(({ cell, other, share }) => make("li", {},
        make("button", { type: "button", class: "link", onclick: () => page.openCell(cell, { from: "panel" }) }, `Cell ${cell}, ${names[other]}`),
        `: ${percent(share)} of what speaks for it`, ...map.pastedOf(cell).map((text) => `; ${text}`)))));
  }
  Object.assign(page, { fillTools: fill, showTools });
})();
