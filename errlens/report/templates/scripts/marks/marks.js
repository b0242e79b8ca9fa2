// What a person says of images. Kept in this browser, by run; a page that is served gives `page.keeper`
// instead, which has the same face: what is kept is asked for once, and told of each change.
(() => {
  const { data } = page;
  const given = data.marks, VERDICTS = given.verdicts, WRONG_LABEL = VERDICTS[0];

  // ---- a mark, from whatever source: null where it is none ----
  const wellFormed = (text) => text.toWellFormed?.() ?? text;
  const trimmed = (text) => wellFormed(String(text ?? "")).slice(0, given.longest).trim();
  const known = new Set(given.classes);
  function asMark(said) {
    if (!VERDICTS.includes(said?.verdict)) return null;
    const label = said.verdict === WRONG_LABEL && known.has(said.label) ? said.label : null;
    return { verdict: said.verdict, label, remark: trimmed(said.remark) };
  }
  const isIncomplete = (mark) => mark?.verdict === WRONG_LABEL && mark.label === null;
  const same = (a, b) => a?.verdict === b?.verdict && a?.label === b?.label && a?.remark === b?.remark;

  // ---- kept in this browser ----
  const KEY = `errlens-marks-${given.run_hash}`;
  const inBrowser = {
    where: "in this browser",
    read: () => JSON.parse(localStorage.getItem(KEY) ?? "{}"),
    // Another window may have marked meanwhile: only what changed here is changed.
    write(changes) {
      const kept = { ...readable(inBrowser.read) };
      for (const [row, mark] of changes) {
        if (mark) kept[row] = mark; else delete kept[row];
      }
      if (Object.keys(kept).length) localStorage.setItem(KEY, JSON.stringify(kept));
      else localStorage.removeItem(KEY);
    },
    follow: (changed) => addEventListener("storage", (event) => {
      if (event.key === KEY || event.key === null) changed();
    }),
  };
  function readable(read) {
    try { return read(); } catch (error) {
      if (error instanceof SyntaxError) return {};  // somebody else's
      throw error;
    }
  }

  const mine = new Map();
  let keeper = inBrowser, kept = true;
  async function begin() {
    keeper = page.keeper ?? inBrowser;
    try {
      adopt(await readable(keeper.read));
      keeper.follow?.(async () => adopt(await readable(keeper.read)));
    } catch {
      kept = false;
      tell();
    }
  }
  function adopt(tree) {
    mine.clear();
    for (const [row, said] of Object.entries(tree ?? {})) {
      const mark = asMark(said);
      if (mark && /^\d+$/.test(row)) mine.set(Number(row), mark);
    }
    tell();
  }
  // What cannot be kept is there as long as the page is, is said to be, and goes along with the next
  // change. A keeper that others write to, too, answers with all marks that there are.
  const unkept = new Map();
  let turn = 0;
  async function change(changes) {
    for (const [row, mark] of changes) {
      if (mark) mine.set(row, mark); else mine.delete(row);
      unkept.set(row, mark);
    }
    tell();
    const latest = ++turn, sent = [...unkept], before = kept;
    let all;
    try {
      all = await keeper.write(sent);
      kept = true;
      for (const [row, mark] of sent) if (unkept.get(row) === mark) unkept.delete(row);
    } catch { kept = false; }
    if (all && latest === turn) adopt(all);
    else if (kept !== before) tell();
    if (kept && !left) document.dispatchEvent(new CustomEvent("kept", { detail: sent.map(([row]) => row) }));
  }
  // While the page is left nothing is painted any more: pictures could not be loaded.
  let left = false;
  const tell = () => { if (!left) document.dispatchEvent(new Event("marks")); };
  addEventListener("pagehide", () => { left = true; }, { capture: true });
  addEventListener("pageshow", () => {
    if (!left) return;
    left = false;
    tell();
  });
  function set(row, said) {
    const mark = said && asMark(said);
    if (!same(mark ?? undefined, mine.get(row))) change([[row, mark]]);
  }

  // ---- those of others, with the page or from a file: the own mark of an image stays ----
  const others = given.given.map(({ name, marks }) => ({
    name, marks: new Map(Object.entries(marks).map(([row, [verdict, label, remark]]) => [Number(row), { verdict, label, remark }])),
  }));
  function takeOver(marks) {
    const fresh = [...marks].filter(([row]) => !mine.has(row));
    const apart = [...marks].filter(([row, mark]) => mine.has(row) && !same(mine.get(row), mark));
    if (fresh.length) change(fresh);
    return { taken: fresh.length, apart: apart.length };
  }

  // Tiles say what their image is marked as; those that are made later ask by themselves.
  document.addEventListener("marks", () => {
    for (const tile of document.querySelectorAll("[data-row]")) {
      const mark = mine.get(Number(tile.dataset.row));
      if (mark) tile.dataset.marked = mark.verdict;
      else delete tile.dataset.marked;
      tile.toggleAttribute("data-incomplete", isIncomplete(mark));
    }
  });
  const marks = {
    VERDICTS, WRONG_LABEL, others, set, same, isIncomplete, asMark, takeOver,
    of: (row) => mine.get(Number(row)) ?? null,
    rows: () => [...mine.keys()].sort((a, b) => a - b),
    saidOf: (row) => others.filter((one) => one.marks.has(row)).map((one) => ({ name: one.name, mark: one.marks.get(row) })),
    forget: (rows = [...mine.keys()]) => change(rows.map((row) => [row, null])),
    where: () => (kept ? keeper.where : null),
  };
  Object.assign(page, { marks });
  page.later(begin);
})();
