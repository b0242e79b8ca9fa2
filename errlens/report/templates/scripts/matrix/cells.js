// The cells of the confusion matrix: which there are, and what is said of one.
(() => {
  const { data, count, bare, percent, wilson } = page;
  const matrix = data.matrix;
  if (!matrix) return;
  const names = matrix.names, nCells = matrix.cells.length / 3;
  const cellAt = (at) => {
    const [t, p, count] = matrix.cells.slice(3 * at, 3 * at + 3);
    return { at, t, p, count };
  };
  const placeOf = new Map();
  for (let at = 0; at < nCells; at++) {
    placeOf.set(matrix.cells[3 * at] * names.length + matrix.cells[3 * at + 1], at);
  }
  const find = (t, p) => (t < 0 || p < 0 ? undefined : placeOf.get(t * names.length + p));
  const title = ({ t, p }) => `${names[t]} → ${names[p]}`;
  const images = (n) => `${count(n)} image${n === 1 ? "" : "s"}`;
  function numbersOf(cell) {
    const n = matrix.n[cell.t], [low, high] = wilson(cell.count, n);
    return (`${count(cell.count)} of ${images(n)} (${percent(cell.count / n)}; ` +
      `95 % interval ${bare(low)} to ${bare(high)} %)`).replaceAll(" %", "\u00a0%");
  }
  // As errlens/formats.py writes `cell_share`; a test compares the two.
  function cellShare(x) {
    return x === 0 ? "" : bare(x).replace(/\.0$/, "").replace(/^(<?)0\./, "$1.");
  }

  // A cell in the address is called "cat/dog"; a slash that is part of a name is written %2F.
  const nameOf = ({ t, p }) => [t, p].map((index) => names[index].replace(/[%/]/g, encodeURIComponent)).join("/");
  function cellCalled(text) {
    const called = text.split("/").map((name) => name.replace(/%2F|%25/gi, decodeURIComponent));
    const at = called.length === 2 ? find(...called.map((name) => names.indexOf(name))) : undefined;
    return at === undefined ? null : cellAt(at);
  }
  page.matrix = { find, nameOf, cellCalled, numbersOf, cellShare, images };
  Object.assign(page, { cellAt, nCells, title });
})();
