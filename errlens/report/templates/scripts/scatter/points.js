// The images on the map: which are shown, which is near, which lie inside of a line. Each is known by
// its place `at` in the columns of the data; lengths are shares of the map, 0 to 1.
(() => {
  const { data } = page;
  if (!data.scatter) return;
  const FARTHEST = 4095, { rows, colour, side, group, names, groups } = data.scatter;
  const [x, y] = [data.scatter.x, data.scatter.y].map((places) => Float64Array.from(places, (place) => place / FARTHEST));
  const n = x.length, all = [...Array(n).keys()];
  const rowAt = (at) => (rows ? rows[at] : at);
  const places = rows && new Map(rows.map((row, at) => [row, at]));
  const placeOf = (row) => (places ? places.get(row) : row < n ? row : undefined);

  // ---- filters: of a class or a confused group, and right or wrong ----
  const RIGHT = 1, WRONG = 0, NONE = -1;
  const kinds = [
    ["", "all images"], ...names.map((name, at) => [`colour:${at}`, name]),
    ...(colour.includes(-1) ? [["colour:-1", "other classes"]] : []),
    ...groups.map((name, at) => [`group:${at + 1}`, `confused: ${name}`]),
  ];
  const sides = [["", "right or wrong"], [WRONG, "errors"], [RIGHT, "right ones"], [NONE, "not judged"]]
    .filter(([value]) => value === "" || side.includes(value));
  function shownBy(kind, wanted) {
    const [name, number] = kind.split(":"), column = { colour, group }[name];
    return (at) => (!column || column[at] === Number(number)) && (wanted === "" || side[at] === Number(wanted));
  }

  // ---- places ----
  // `wide` and `high` are those of the map in pixels, and so is `reach`; of equally near ones an error.
  function nearest(atX, atY, { wide, high, reach, isShown }) {
    let best = null, least = reach ** 2;
    for (let at = 0; at < n; at++) {
      if (!isShown(at)) continue;
      const distance = ((x[at] - atX) * wide) ** 2 + ((y[at] - atY) * high) ** 2;
      if (distance < least || (distance === least && side[at] === WRONG)) [best, least] = [at, distance];
    }
    return best;
  }
  // Even and odd crossings of a ray: a line that crosses itself is no problem.
  function insideOf(line) {
    const [left, top] = [0, 1].map((axis) => Math.min(...line.map((corner) => corner[axis])));
    const [right, bottom] = [0, 1].map((axis) => Math.max(...line.map((corner) => corner[axis])));
    return (at) => {
      if (x[at] < left || x[at] > right || y[at] < top || y[at] > bottom) return false;
      let within = false;
      for (let end = 0, start = line.length - 1; end < line.length; start = end++) {
        const [x1, y1] = line[start], [x2, y2] = line[end];
        if ((y1 > y[at]) !== (y2 > y[at]) && x[at] < x1 + (y[at] - y1) / (y2 - y1) * (x2 - x1)) within = !within;
      }
      return within;
    };
  }
  // The next image to one side, near to the line ahead; the same where there is none.
  function beside(from, key, isShown) {
    const level = key === "ArrowLeft" || key === "ArrowRight";
    const sign = key === "ArrowRight" || key === "ArrowDown" ? 1 : -1;
    let best = from, least = Infinity;
    for (let at = 0; at < n; at++) {
      const [across, down] = [x[at] - x[from], y[at] - y[from]];
      const ahead = sign * (level ? across : down), aside = Math.abs(level ? down : across);
      // Of several at one place the order of the images says which is next.
      const isNext = ahead > 0 || (ahead === 0 && aside === 0 && sign * (at - from) > 0);
      if (at === from || !isNext || !isShown(at) || aside > 2 * ahead) continue;
      const distance = ahead + 2 * aside + (ahead === 0 ? Math.abs(at - from) * Number.EPSILON : 0);
      if (distance < least) [best, least] = [at, distance];
    }
    return best;
  }
  page.scatter = {
    n, all, x, y, colour, side, names, kinds, sides, WRONG, rowAt, placeOf, shownBy, nearest, insideOf, beside,
  };
})();
