// Below the map: the images that were chosen on it, to be opened, and to be marked all at once.
(() => {
  const { by, data, make, count, marks, quoted, scatter } = page;
  if (!scatter) return;
  const { side, rowAt, WRONG } = scatter;
  const MOST = 60, MOST_NAMED = 100;  // tiles at a time; images of one command
  const plural = (n, word) => `${count(n)} ${word}${n === 1 ? "" : "s"}`;
  const box = by("scatter-chosen");
  let turn = 0;

  // Those that were marked before keep their marks.
  function marking(rows) {
    const said = make("p", { class: "soft", role: "status" });
    function mark(verdict) {
      const fresh = rows.filter((row) => !marks.of(row)), kept = rows.length - fresh.length;
      marks.takeOver(new Map(fresh.map((row) => [row, marks.asMark({ verdict })])));
      said.replaceChildren(`${plural(fresh.length, "image")} marked as ${verdict}`,
        kept ? `; ${plural(kept, "image")} marked before kept as they were. ` : ". ");
      if (!fresh.length) return;
      said.append(make("button", { type: "button", class: "link", onclick: () => {
        marks.forget(fresh);
        said.textContent = `${plural(fresh.length, "mark")} taken back.`;
        box.focus();
      } }, "take back"));
    }
    const buttons = marks.VERDICTS.map((verdict) =>
      make("button", { type: "button", "data-verdict": verdict, onclick: () => mark(verdict) }, verdict));
    return [make("div", { class: "verdicts", role: "group", "aria-label": "Mark all of them" }, "mark all as ", ...buttons), said];
  }
  function command(rows) {
    if (rows.length > MOST_NAMED) {
      return make("p", { class: "soft" }, `More than ${MOST_NAMED} images are too many for a command; marks.json hands on those that are marked.`);
    }
    const selectors = rows.map((row) => quoted(`row:${row}`)).join(" --select ");
    return page.toCopy(`${data.command} ${selectors}`);
  }
  async function tiles(rows) {
    return Promise.all(rows.map(async (row) => {
      const facts = await page.store.facts(row, { brief: true });
      if (facts.path !== undefined) return page.shot(row, { facts, brief: false });
      return make("div", { class: "shot other" }, make("span", { class: "gone" }, `row ${row} is not on this page`));
    }));
  }
  // Errors first, each kind in the order of the run.
  function show(chosen) {
    const mine = ++turn, wrong = chosen.filter((at) => side[at] === WRONG);
    const rows = [...wrong, ...chosen.filter((at) => side[at] !== WRONG)].map(rowAt);
    box.hidden = !rows.length;
    if (!rows.length) return rows;
    const errors = wrong.length === rows.length ? `, ${rows.length > 1 ? "all of them errors" : "an error"}` :
      wrong.length ? `, ${plural(wrong.length, "error")} among them` : "";
    const shots = make("div", { class: "shots" });
    const more = make("button", { type: "button", onclick: () => add() });
    async function add() {
      const first = shots.children.length, further = await tiles(rows.slice(first, first + MOST));
      if (mine !== turn) return;
      shots.append(...further);
      const left = rows.length - shots.children.length;
      more.hidden = left <= 0;
      more.textContent = `${count(Math.min(MOST, left))} more of ${count(rows.length)}`;
      if (first) shots.children[first].querySelector("button")?.focus({ preventScroll: true });
    }
    more.hidden = true;
    box.replaceChildren(make("h5", { role: "status" }, `${plural(rows.length, "image")} chosen${errors}`),
      ...marking(rows), command(rows), shots, more);
    add();
    return rows;
  }
  scatter.showChosen = show;
})();
