// All images, filtered and sorted: the page holds as many tiles as were asked for.
(() => {
  const { by, make, count, probability, later, store, place, goTo, written, firstView, downFirst, shareIn, shot } = page;
  const section = by("images");
  if (!section) return;
  const PART = 60, RANGE = ["from", "to"];
  const SORTS = {
    loss: "loss", confidence: "confidence", margin: "margin", label_prob: "probability of the label", path: "path",
  };
  const titles = { ...SORTS, ...Object.fromEntries(store.measured.map(({ name, title }) => [name, title])) };
  const explained = { border: "share of border (one colour at the edges)" };
  const control = (name) => section.querySelector(`[name="${name}"]`);
  const tiles = by("tiles"), more = by("more");

  // ---- the filter bar ----
  const option = (value, text) => make("option", { value }, text);
  function offer(name, options) {
    const select = control(name);
    select.append(...options);
    select.closest("label").hidden = select.options.length < 2;
  }
  function offerAll() {
    for (const name of ["true", "pred"]) {
      const known = store.names.map((each, index) => [each, index]);
      known.sort(([a], [b]) => a.localeCompare(b));
      offer(name, known.map(([each]) => option(each, each)));
    }
    offer("finding", store.findings.map(({ rank, title }) => option(rank, `${rank}. ${title}`)));
    if (!page.marks) control("marked").closest("label").hidden = true;
    offer("sort", store.sorts.map((name) => option(name, explained[name] ?? titles[name])));
  }
  // A select that shows what no option of its own is, such as several classes.
  function choose(select, value) {
    select.querySelector("[data-further]")?.remove();
    const several = Array.isArray(value);
    const text = several ? `${value.length} classes: ${value.join(", ")}` : String(value ?? "");
    if (several || ![...select.options].some((one) => one.value === text)) {
      const further = option(text, text);
      further.dataset.further = "";
      select.prepend(further);
    }
    select.value = text;
    select.title = text;
  }
  function showView() {
    const { view } = place;
    for (const name of ["true", "pred", "side", "finding", "marked", "sort"]) choose(control(name), view[name]);
    if (control("text").value !== (view.text ?? "")) control("text").value = view.text ?? "";
    // What means the same stays as it was typed, and what means nothing stays until it is mended.
    for (const name of RANGE) {
      if ((shareIn(control(name).value) ?? undefined) !== view[name]) control(name).value = view[name] ?? "";
    }
    checkRange();
    const [up, down] = view.sort === "path" ? ["A to Z", "Z to A"] : ["smallest first", "largest first"];
    by("direction").textContent = view.down ? `↓ ${down}` : `↑ ${up}`;
    by("reset").hidden = written(view) === written(firstView);
  }
  function checkRange() {
    const isOdd = (name) => control(name).value.trim() !== "" && shareIn(control(name).value) === null;
    for (const name of RANGE) control(name).setAttribute("aria-invalid", isOdd(name));
    const typed = (test) => RANGE.filter(test).map((name) => control(name).value.trim());
    const odd = typed(isOdd), meant = typed(isPercentage);
    const said = odd.length ? `A confidence is from 0 to 1, or from 0 to 100 %: ${odd.join(" and ")} filters nothing.` :
      meant.map((text) => `${text} is taken as ${text} %.`).join(" ");
    by("range-problem").hidden = !said;
    by("range-problem").className = odd.length ? "problem" : "soft";
    by("range-problem").textContent = said;
  }
  const isPercentage = (name) => Number(control(name).value.replace(",", ".")) > 1 && shareIn(control(name).value) !== null;
  const PAUSE = 300;  // milliseconds between two letters
  let pending = null, typedIn = null;  // a field whose letters are one entry of the history
  function typed(name) {
    clearTimeout(pending);
    if (name === "text") change(name);
    else if (RANGE.includes(name)) pending = setTimeout(() => change(name), PAUSE);
  }
  function change(name) {
    clearTimeout(pending);
    const view = { ...place.view }, { value } = control(name);
    if (control(name).selectedOptions?.[0]?.dataset.further !== undefined) return;
    if (value === "") delete view[name];
    else if (!RANGE.includes(name)) view[name] = name === "finding" ? Number(value) : value;
    for (const end of RANGE) {
      const share = shareIn(control(end).value);
      if (share === null) delete view[end];
      else view[end] = share;
    }
    checkRange();
    if (name === "sort") view.down = downFirst(value);
    if (written(view) === written(place.view)) return;
    goTo({ view }, { replace: name === "text" || typedIn === name });
    typedIn = RANGE.includes(name) ? name : null;
  }

  // ---- what to take away where nothing is found ----
  const CAPTIONS = { true: "label", pred: "predicted", side: "", finding: "finding", marked: "marked", text: "file or class" };
  const quote = (value) => `\u201c${[value].flat().join(", ")}\u201d`;
  function filtersOf(view) {
    const ends = [view.from === undefined ? "" : `from ${probability(view.from)}`, view.to === undefined ? "" : `to ${probability(view.to)}`];
    const named = Object.keys(CAPTIONS).filter((name) => view[name] !== undefined && view[name] !== "").map((name) => {
      const said = name === "finding" ? view[name] : quote(name === "side" ? control("side").selectedOptions[0].text : view[name]);
      return { names: [name], said: `${CAPTIONS[name]} ${said}`.trim() };
    });
    return ends.some(Boolean) ? [...named, { names: RANGE, said: `confidence ${ends.filter(Boolean).join(" ")}` }] : named;
  }
  const less = (view, names) => Object.fromEntries(Object.entries(view).filter(([name]) => !names.includes(name)));
  async function offerLess(view, mine) {
    const filters = filtersOf(view);
    const totals = await Promise.all(filters.map(({ names }) => store.find(less(view, names), { start: 0, most: 0 })));
    if (mine !== turn) return;
    const helpful = filters.map((filter, at) => ({ ...filter, total: totals[at].total })).filter((filter) => filter.total);
    by("without").replaceChildren(...helpful.map(({ names, said, total: left }) => make("button", { type: "button", onclick: () => {
      for (const name of names) control(name).value = "";
      goTo({ view: less(place.view, names) });
      section.querySelector("h2").focus({ preventScroll: true });
    } }, `without ${said}: ${count(left)}`)));
    by("without").hidden = !helpful.length;
    by("no-single").hidden = helpful.length > 0 || filters.length < 2;
  }

  // ---- the tiles ----
  let shown = null, rows = [], total = 0, turn = 0, ready = null;
  const noteOf = (facts) => {
    const { sort } = place.view;
    if (sort === "confidence" || sort === "label_prob" || sort === "path") return "";
    const value = SORTS[sort] ? facts[sort] : facts.measured.find(([title]) => title === titles[sort])?.[1];
    return value ? `${titles[sort]} ${value}` : "";
  };
  async function add(most = PART) {
    const mine = turn, { view } = place;
    const found = await store.find(view, { start: rows.length, most });
    const facts = await Promise.all(found.rows.map((row) => store.facts(row, { brief: true })));
    if (mine !== turn) return;  // another view was asked for meanwhile
    const first = rows.length;
    rows.push(...found.rows);
    total = found.total;
    const figures = found.rows.map((row, at) =>
      shot(row, { facts: facts[at], brief: false, note: noteOf(facts[at]) }));
    if (first) tiles.append(...figures); else tiles.replaceChildren(...figures);
    const all = `${count(store.listed)} image${store.listed === 1 ? "" : "s"}`;
    by("matching").textContent = total === store.listed ? `all ${all}` : `${count(total)} of ${all}`;
    by("none-matching").hidden = total > 0;
    if (total === 0) offerLess(view, mine);
    const left = Math.min(PART, total - rows.length);
    more.hidden = left <= 0;
    more.textContent = `${count(left)} more`;
  }
  async function show() {
    const wanted = written(place.view);
    if (wanted === shown) return;
    shown = wanted;
    showView();
    turn++;
    rows = [];
    ready = add();
    await ready;
  }
  // The row beside another one of the view, as far as it takes; `at` is its place.
  const FAR = 6000;
  async function beside(row, step) {
    await ready;
    while (!rows.includes(row) && rows.length < Math.min(total, FAR)) await add(600);
    const at = rows.indexOf(row);
    if (at < 0) return { at: -1, total };
    if (at + step >= rows.length && rows.length < total) await add();
    return { at, total, row: rows[at + step] };
  }

  section.querySelector(".filter").addEventListener("change", (event) => change(event.target.name));
  section.querySelector(".filter").addEventListener("input", (event) => typed(event.target.name));
  section.querySelector(".filter").addEventListener("focusout", () => { typedIn = null; });
  by("direction").addEventListener("click", () => goTo({ view: { ...place.view, down: !place.view.down } }));
  by("reset").addEventListener("click", () => {
    for (const name of RANGE) control(name).value = "";
    goTo({ view: { ...firstView } });
    section.querySelector("h2").focus({ preventScroll: true });
  });
  more.addEventListener("click", async () => {
    const first = rows.length;
    await add();
    tiles.children[first]?.querySelector("button").focus({ preventScroll: true });
  });
  document.addEventListener("place", show);
  document.addEventListener("marks", () => {
    if (place.view.marked === undefined) return;
    shown = null;
    show();
  });
  if (store.listed < store.n) {
    by("not-listed").textContent = `This page lists ${count(store.listed)} of the ${count(store.n)} images of the run, errors first.`;
    by("not-listed").hidden = false;
  }
  later(() => { offerAll(); show(); });
  page.viewed = { beside, tiles };
})();
