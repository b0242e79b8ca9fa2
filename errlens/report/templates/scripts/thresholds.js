// Two classes: what a threshold misses, calls wrongly and costs, as it is moved.
(() => {
  const { by, data, count, percent } = page;
  const two = data.two_classes;
  if (!two || !by("threshold")) return;
  const slider = by("threshold");
  const price = (id) => Math.max(0, Number(by(id).value) || 0);
  const costOf = (at) => two.misses[at] * price("cost-miss") + two.alarms[at] * price("cost-alarm");
  const written = (cost) => (Number.isInteger(cost) ? count(cost) : String(Number(cost.toPrecision(3))));
  const part = (some, all, what) => `${count(some)} of ${count(all)} ${what} (${percent(some / all)})`;

  // Of equally cheap ones the nearest to one half, as errlens diagnose has it.
  function cheapest() {
    const half = (two.misses.length - 1) / 2;
    let best = half;
    for (let at = 0; at < two.misses.length; at++) {
      const saved = costOf(best) - costOf(at);
      if (saved > 0 || (saved === 0 && Math.abs(at - half) < Math.abs(best - half))) best = at;
    }
    return best;
  }
  function place(id, across, up) {
    by(id).setAttribute("cx", two.side * across);
    by(id).setAttribute("cy", two.side * (1 - up));
  }
  function tell() {
    const at = Number(slider.value), best = cheapest();
    const hits = two.ones - two.misses[at], called = hits + two.alarms[at];
    by("threshold-is").textContent = two.texts[at];
    slider.setAttribute("aria-valuetext", two.texts[at]);
    by("threshold-does").textContent =
      `From ${two.texts[at]} on: ${part(two.misses[at], two.ones, "missed")}, ` +
      `${part(two.alarms[at], two.others, "called wrongly")}; cost ${written(costOf(at))}` +
      (costOf(at) > costOf(best) ? `. Cheapest from ${two.texts[best]} on: ${written(costOf(best))}.` : ", no threshold is cheaper.");
    place("roc-at", two.alarms[at] / two.others, hits / two.ones);
    place("pr-at", hits / two.ones, called ? hits / called : 1);
  }
  by("thresholds").hidden = false;
  for (const id of ["threshold", "cost-miss", "cost-alarm"]) by(id).addEventListener("input", tell);
  by("cheapest").addEventListener("click", () => {
    slider.value = cheapest();
    tell();
  });
  tell();
})();
