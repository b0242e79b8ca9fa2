// What a cell adds to the classes: the most, the least, and those that are asked for, as bars.
(() => {
  const { make, names, signed } = page;
  const MOST = 5, LEAST = 3;
  function bars(map, cell, asked) {
    const values = names.map((_, of) => map.attribution(cell, of));
    const order = names.map((_, of) => of).sort((a, b) => values[b] - values[a] || a - b);
    const shown = new Set([
      ...order.filter((of) => values[of] > 0).slice(0, MOST),
      ...order.filter((of) => values[of] < 0).slice(-LEAST), ...asked.filter((of) => of !== null),
    ]);
    const strongest = Math.max(...values.map(Math.abs)) || 1;
    return make("ul", { class: "bars" }, ...order.filter((of) => shown.has(of)).map((of) => {
      const bar = make("span", { class: `bar ${values[of] < 0 ? "against" : "for"}`, "aria-hidden": "true" });
      bar.style.setProperty("--long", (Math.abs(values[of]) / strongest).toFixed(3));
      const name = make("span", { class: "name", dir: "auto", title: names[of] }, names[of]);
      const rail = make("span", { class: "rail" }, bar), value = make("span", { class: "value" }, signed(values[of]));
      return make("li", asked.includes(of) ? { class: "asked" } : {}, name, rail, value);
    }));
  }
  Object.assign(page, { bars });
})();
