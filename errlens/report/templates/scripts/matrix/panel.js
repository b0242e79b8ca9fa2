// Beside the matrix: the images of the cell that is chosen.
(() => {
  const { by, data, make, count, quoted, cellAt, title } = page;
  const matrix = data.matrix;
  if (!matrix) return;
  const { find, numbersOf } = page.matrix;
  const MOST = 60;  // images; the rest is a link away

  const address = (view) => `#images?${new URLSearchParams(view)}`;
  const classLink = (index) => make("a", {
    href: address({ true: matrix.names[index] }), title: `all images of ${matrix.names[index]}`,
  }, matrix.names[index]);
  function wayBack(cell) {
    const back = find(cell.p, cell.t);
    if (back === undefined) return make("span", { class: "soft" }, "The other way: none.");
    const other = cellAt(back);
    return make("button", {
      class: "link", type: "button", onclick: () => page.choose(other),
    }, `The other way: ${title(other)}, ${count(other.count)}`);
  }
  const viewOf = ({ t, p }) => ({ true: matrix.names[t], pred: matrix.names[p] });
  async function images(cell) {
    if (!page.store) return (matrix.images[cell.at] ?? []).map((row) => page.shot(row));
    const { rows } = await page.store.find({ ...viewOf(cell), sort: "loss", down: true }, { start: 0, most: MOST });
    const known = await Promise.all(rows.map(async (row) => {
      const picture = await page.store.picture(row);
      return picture.url ? page.shot(row, { facts: await page.store.facts(row, { brief: true }) }) : null;
    }));
    return known.filter(Boolean);
  }
  function show(cell) {
    if (!cell) {
      by("panel").replaceChildren(make("p", { class: "soft" }, "Nothing is mixed up among these classes."));
      delete by("panel").dataset.cell;
      return;
    }
    const called = (index) => matrix.selectors[index] ?? matrix.names[index];
    const command = `${data.command} ${quoted(`${called(cell.t)}/${called(cell.p)}`)}`;
    const shots = make("div", { class: "shots" });
    by("panel").replaceChildren(
      make("h3", {}, classLink(cell.t), " → ", classLink(cell.p)),
      make("p", { class: "numbers" }, numbersOf(cell)),
      shots,
      make("p", {}, make("a", { class: "all", href: address(viewOf(cell)) }, `all ${count(cell.count)}`)),
      make("p", {}, wayBack(cell)),
      make("p", { class: "soft" }, "In the shell: ", make("code", {}, command)));
    by("panel").dataset.cell = title(cell);
    const none = make("p", { class: "soft" }, "No picture of them is on this page.");
    images(cell).then((found) => shots.replaceChildren(...(found.length ? found : [none])));
  }
  page.matrix.show = show;
})();
