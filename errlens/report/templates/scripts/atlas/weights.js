// How much each cell speaks for a class, or for one more than for another, beside the strongest.
(() => {
  const { names } = page;
  const FAINTEST = 0.12;  // of what adds nothing: it is still seen
  function weightsOf({ map, weigh, against }) {
    if (weigh === null) return null;
    const values = Array.from({ length: map.n }, (_, cell) =>
      map.attribution(cell, weigh) - (against === null ? 0 : map.attribution(cell, against)));
    const strongest = Math.max(...values.map(Math.abs)) || 1;
    return {
      values,
      opacity: (cell) => FAINTEST + (1 - FAINTEST) * Math.abs(values[cell]) / strongest,
      side: (cell) => (values[cell] < 0 ? "against" : "for"),
    };
  }
  const addsTo = ({ weigh, against }, value) => (against === null ?
    `adds ${page.signed(value)} to ${names[weigh]}` :
    `adds ${page.signed(Math.abs(value))} more to ${names[value < 0 ? against : weigh]} than to ${names[value < 0 ? weigh : against]}`);
  Object.assign(page, { weightsOf, addsTo });
})();
