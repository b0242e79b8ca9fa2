// The section with all marks: the own ones, files of them, and those of colleagues.
(() => {
  const { by, make, count, marks, printable, markWords, later } = page;
  const MOST = 60;  // tiles at a time
  if (!by("marks")) return;

  // ---- tiles, each with its mark ----
  async function tile(row, mark, actions) {
    const facts = await page.store.facts(row), label = facts.label_name ?? "no label";
    if (facts.path === undefined) {
      return make("li", { class: "marked-image" }, make("div", { class: "gone" }, `row ${row} is not on this page`),
        make("div", { class: "marked-as" }, ...markWords(mark)), make("div", { class: "mark-actions" }, ...actions));
    }
    const predicted = facts.correct ? [", right"] : facts.pred_name === null ? [`, ${facts.status}`] :
      [", predicted ", ...page.named(facts.pred_name, { whole: true }), facts.confidence === null ? "" : ` ${facts.confidence}`];
    return make("li", { class: "marked-image" }, page.shot(row, { facts }),
      make("div", { class: "marked-as" }, ...markWords(mark, label),
        make("div", { class: "soft" }, ...page.named(label, { whole: true }), ...predicted),
        make("div", { class: "soft" }, `row ${row} `, ...page.named(facts.path.slice(facts.path.lastIndexOf("/") + 1), { whole: true }))),
      make("div", { class: "mark-actions" }, ...actions));
  }
  const action = (text, name, onclick) =>
    make("button", { type: "button", class: "link", "aria-label": `${text} ${name}`, onclick }, text);
  const opener = (row) => make("button", { type: "button", class: "link", "data-row": row, "aria-label": `change the mark of row ${row}` }, "change");

  // A list that is made anew with each change; of a long one as much as was asked for.
  function listing(list, entries, actionsOf) {
    let shown = MOST, turn = 0;
    return async function paint() {
      const mine = ++turn, all = entries();
      const items = await Promise.all(all.slice(0, shown).map(([row, mark]) => tile(row, mark, actionsOf(row, mark))));
      if (mine !== turn) return;
      if (all.length > shown) {
        items.push(make("li", { class: "more" }, make("button", { type: "button", onclick: () => { shown += MOST; paint(); } },
          `${count(Math.min(MOST, all.length - shown))} more of ${count(all.length)}`)));
      }
      list.replaceChildren(...items);
      list.hidden = !all.length;
    };
  }

  // ---- one's own ----
  const own = listing(by("marks-own"), () => marks.rows().map((row) => [row, marks.of(row)]),
    (row) => [opener(row), action("remove", `the mark of row ${row}`, () => marks.set(row, null))]);
  const plural = (n, word) => `${count(n)} ${word}${n === 1 ? "" : "s"}`;
  const viewOf = (verdict, text) =>
    (by("images") ? make("a", { href: `#images?${new URLSearchParams({ marked: verdict })}` }, text) : text);
  function summary() {
    const rows = marks.rows();
    const parts = marks.VERDICTS.map((verdict) => [verdict, rows.filter((row) => marks.of(row).verdict === verdict).length])
      .filter(([, n]) => n)
      .flatMap(([verdict, n], at) => [at ? ", " : "", viewOf(verdict, `${count(n)} ${verdict}`)]);
    const where = marks.where();
    const kept = where ? `Kept ${where}; the files below hand them on.` :
      "This browser does not let the page keep anything: save marks.json before you close it.";
    if (!rows.length) return where ? [] : [kept];
    return [make("b", {}, `${plural(rows.length, "image")} marked`), ": ", ...parts, ". ", kept];
  }
  function paintSummary() {
    const n = marks.rows().length;
    by("marks-said").replaceChildren(...summary());
    by("marks-said").classList.toggle("problem", marks.where() === null);
    by("marks-none").hidden = n > 0;
    by("marks-files").hidden = n === 0;
    by("marks-forget").hidden = n === 0;
    if (!n) ask(false);
    const labels = marks.rows().map((row) => marks.of(row)).filter((mark) => mark.verdict === marks.WRONG_LABEL);
    const right = labels.filter((mark) => mark.label !== null).length;
    by("marks-labels").textContent = plural(right, "right label");
    document.querySelector("[data-save='labels.csv']").disabled = !right;
    by("marks-unlabelled").hidden = right === labels.length;
  }

  // ---- those of colleagues ----
  const theirs = marks.others.map(({ name, marks: said }) => {
    const list = make("ul", { class: "shots marked" }), state = make("p", { class: "soft", role: "status" });
    const many = make("span", {});
    const all = make("button", { type: "button", onclick: () => report(state, marks.takeOver(said)) });
    by("marks-others").append(make("h3", {}, `Marks of ${printable(name)}`),
      make("div", { class: "tools" }, many, all), state, list);
    const apart = () => [...said].filter(([row, mark]) => !marks.same(marks.of(row), mark));
    const paint = listing(list, apart, (row, mark) => {
      const own = marks.of(row);
      return [...(own ? [make("span", { class: "soft" }, `yours: ${own.verdict}`)] : []),
        action("take over", `the mark of row ${row}`, () => marks.set(row, mark))];
    });
    return () => {
      const fresh = [...said.keys()].filter((row) => !marks.of(row)).length, alike = said.size - apart().length;
      many.textContent = plural(said.size, "image") + (alike ? `, ${count(alike)} marked as by you` : "");
      all.textContent = `take over ${count(fresh)} that you have not marked`;
      all.hidden = !fresh;
      return paint();
    };
  });
  const report = (place, { taken, apart }) => {
    place.textContent = `${plural(taken, "mark")} taken over` +
      (apart ? `; ${plural(apart, "image")} that you marked otherwise kept as you did.` : ".");
  };

  // ---- buttons ----
  for (const button of document.querySelectorAll("button[data-save]")) {
    button.addEventListener("click", () => marks.save(button.dataset.save));
  }
  by("marks-import").addEventListener("change", async () => {
    const [file] = by("marks-import").files, place = by("marks-imported");
    if (!file) return;
    place.classList.remove("problem");
    try {
      report(place, marks.takeOver(await marks.read(file)));
    } catch (error) {
      if (!(error instanceof marks.Unread)) throw error;
      place.classList.add("problem");
      place.textContent = printable(error.message);
    }
    by("marks-import").value = "";  // so that the same file can be read again
  });
  function ask(open) {
    by("marks-sure").hidden = !open;
    by("marks-forget").disabled = open;
  }
  by("marks-forget").addEventListener("click", () => {
    by("marks-how-many").textContent = plural(marks.rows().length, "mark");
    ask(true);
    by("marks-forget-no").focus();
  });
  by("marks-forget-no").addEventListener("click", () => { ask(false); by("marks-forget").focus(); });
  by("marks-forget-yes").addEventListener("click", () => {
    marks.forget();
    ask(false);
    by("marks").querySelector("h2").focus();
  });

  const paint = () => { paintSummary(); own(); theirs.forEach((one) => one()); };
  document.addEventListener("marks", paint);
  later(paint);
})();
