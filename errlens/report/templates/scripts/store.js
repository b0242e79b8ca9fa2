// All images of the page: found by a view, which filters and sorts, and told of one by one.
(() => {
  const { data, read, probability, number, signed, given } = page;
  if (data.remote) return;
  const nothing = { n: 0, rows: [], label: [], pred: [], path: [], correct: [] };
  const images = data.images ?? nothing;
  const names = data.names;
  const measured = images.measured ?? [], findings = images.findings ?? [];
  const labelText = new Map(Object.entries(images.label_text ?? {}));
  const statuses = new Map(Object.entries(images.status ?? {}));
  const n = images.rows?.length ?? images.n;  // listed; of a very large run the worst are
  const rowAt = (place) => (images.rows ? images.rows[place] : place);
  let places = null;  // of rows; where all are listed, a row is its place
  function placeOf(row) {
    if (!images.rows) return row >= 0 && row < n ? row : undefined;
    places ??= new Map(images.rows.map((one, place) => [one, place]));
    return places.get(row);
  }
  const labelName = (place) =>
    (images.label[place] >= 0 ? names[images.label[place]] : labelText.get(String(rowAt(place))) ?? null);
  const predName = (place) => (images.pred[place] >= 0 ? names[images.pred[place]] : null);

  // ---- filters: what is absent from a view filters nothing ----
  let haystack = null;
  const textOf = (place) => {
    haystack ??= new Array(n);
    return (haystack[place] ??=
      `${images.path[place]}\n${labelName(place) ?? ""}\n${predName(place) ?? ""}`.toLowerCase());
  };
  function oneOf(wanted, column, further) {
    const known = new Set(), others = new Set();
    for (const name of [wanted].flat()) {
      const index = names.indexOf(name);
      if (index < 0) others.add(name); else known.add(index);
    }
    return (place) => (column[place] >= 0 ? known.has(column[place]) : others.has(further(place)));
  }
  function testsOf(view) {
    const tests = [];
    if (view.true !== undefined) tests.push(oneOf(view.true, images.label, labelName));
    if (view.pred !== undefined) tests.push(oneOf(view.pred, images.pred, () => null));
    if (view.side !== undefined) {
      const side = { right: 1, wrong: 0, none: -1 }[view.side];
      tests.push((place) => images.correct[place] === side);
    }
    const confidence = (place) => images.confidence?.[place] ?? NaN;  // is in no range
    if (view.from !== undefined) tests.push((place) => confidence(place) >= view.from);
    if (view.to !== undefined) tests.push((place) => confidence(place) <= view.to);
    if (view.finding !== undefined) {
      const rows = new Set(findings.find((finding) => finding.rank === view.finding)?.rows ?? []);
      tests.push((place) => rows.has(rowAt(place)));
    }
    if (view.marked !== undefined) {
      tests.push((place) => page.marks?.of(rowAt(place))?.verdict === view.marked);
    }
    if (view.text) {
      const text = view.text.toLowerCase();
      tests.push((place) => textOf(place).includes(text));
    }
    return tests;
  }

  // ---- orders: ties in the order of the rows; what is not known comes last, either way ----
  const columns = new Map([
    ...["loss", "confidence", "margin", "label_prob", "path"].map((name) => [name, images[name]]),
    ...measured.map(({ name, values }) => [name, values]),
  ]);
  const orders = new Map();
  function orderBy(sort, down) {
    const key = `${down} ${sort}`;
    if (!orders.has(key)) orders.set(key, ordered(columns.get(sort) ?? [], down));
    return orders.get(key);
  }
  let byRow = null;
  function ordered(values, down) {
    byRow ??= Array.from({ length: n }, (_, place) => place).sort((a, b) => rowAt(a) - rowAt(b));
    const known = [], unknown = [];
    for (const place of byRow) ((values[place] ?? null) === null ? unknown : known).push(place);
    const sign = down ? -1 : 1;
    const apart = typeof values[known[0]] === "string" ?
      (a, b) => (values[a] < values[b] ? -sign : values[a] > values[b] ? sign : 0) :
      (a, b) => sign * (values[a] - values[b]);
    return known.sort(apart).concat(unknown);
  }

  function find(view, { start = 0, most = Infinity } = {}) {
    const tests = testsOf(view), rows = [];
    let total = 0;
    for (const place of orderBy(view.sort, view.down)) {
      if (!tests.every((passes) => passes(place))) continue;
      if (total >= start && rows.length < most) rows.push(rowAt(place));
      total++;
    }
    return { total, rows };
  }

  // ---- one image ----
  const INFINITE = 3.4e38;  // JSON has no word for it, so the largest float stands in the data
  const lossOf = (value) => (value >= INFINITE ? "infinite" : number(value));
  const written = (write, value) => ((value ?? null) === null ? null : write(value));
  function known(row) {
    const place = placeOf(row), none = { top: [], near: [], heatmaps: [], measured: [], fed: null };
    if (place === undefined) return none;
    return {
      ...none,
      path: images.path[place],
      status: statuses.get(String(row)) ?? "ok",
      label_name: labelName(place),
      pred_name: predName(place),
      correct: [false, true][images.correct[place]] ?? null,
      confidence: written(probability, images.confidence?.[place]),
      label_prob: written(probability, images.label_prob?.[place]),
      loss: written(lossOf, images.loss?.[place]),
      margin: written(signed, images.margin?.[place]),
      measured: measured.filter(({ values }) => (values[place] ?? null) !== null)
        .map(({ title, values }) => [title, given(values[place])]),
    };
  }
  let allPictures = null;
  function picture(name, large = false) {
    const { uris, absent, otherwise } = (allPictures ??= read("pictures"));
    const url = (large && uris[`${name}@`]) || uris[name];
    return url ? { url } : { absent: absent[name] ?? otherwise };
  }
  const store = {
    n: images.n,
    listed: n,
    names,
    measured: measured.map(({ name, title }) => ({ name, title })),
    findings: findings.map(({ rank, title }) => ({ rank, title })),
    sorts: [...columns].filter(([, values]) => values?.some((value) => value !== null)).map(([name]) => name),
    find: async (view, part) => find(view, part),
    facts: async (row) => ({
      ...known(row),
      ...data.facts[row],
      findings: findings.filter(({ rows }) => rows.includes(row)).map(({ rank, title }) => ({ rank, title })),
    }),
    picture,
  };
  Object.assign(page, { store });
})();
