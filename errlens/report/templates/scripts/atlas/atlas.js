// The page begins: the map of its address, and what follows each change of it.
(() => {
  const { by, place, later } = page;
  if (!place) return;
  let before = {};
  function show() {
    const { map, cell } = place;
    page.draw();
    page.showTools();
    page.showPanel({ isNew: before.map !== undefined && cell !== null && (before.cell !== cell || before.map !== map) });
    if (before.map !== map || !page.isAt(place.view)) page.fit();
    before = { map, cell };
  }
  document.documentElement.dataset.live = "true";
  by("atlas").hidden = false;
  page.fillTools();
  document.addEventListener("place", show);
  page.follow();
  if (place.cell !== null) page.walkFrom(place.cell);
  let wide = by("plot").clientWidth;
  new ResizeObserver(() => {
    if (by("plot").clientWidth === wide) return;
    wide = by("plot").clientWidth;
    page.fit();
  }).observe(by("plot"));
  later(() => by("panel").querySelector("h2")?.scrollIntoView({ block: "nearest" }));
})();
