// The part of the lightbox where a person says what is wrong with an image; keys 1 to 4, and 0.
(() => {
  const { data, make, marks } = page;
  const { VERDICTS, WRONG_LABEL } = marks, classes = data.marks.classes;
  const MOST_GUESSES = 4, PAUSE = 300;  // milliseconds between two letters
  let shown = null;  // the editor that was made last, and the image that it is about

  // ---- the right class, typed: as it is called, or the only one called nearly so ----
  const folded = (text) => text.normalize("NFKC").toLowerCase().replace(/[\s_-]+/g, " ").trim();
  const words = (text) => folded(text).split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  const close = (text) => folded(text).replaceAll(" ", "");
  const LEAST_INSIDE = 3;  // letters, of a part from inside of a word
  // From the strictest to the loosest: which names the text may mean.
  const WAYS = [
    (text) => (name) => name === text || page.printable(name) === text,
    (text) => (name) => folded(name) === folded(text),
    (text) => (name) => folded(name).startsWith(folded(text)),
    (text) => (name) => {
      const begun = words(name);
      return words(text).length > 0 && words(text).every((word) => begun.some((one) => one.startsWith(word)));
    },
    (text) => (name) => close(text).length >= LEAST_INSIDE && close(name).includes(close(text)),
  ];
  // All of the first way that finds any; the class that the image has already only if it is alone.
  function classesCalled(text, given) {
    if (!folded(text)) return classes.filter(WAYS[0](text));
    for (const way of WAYS) {
      const found = classes.filter(way(text));
      if (found.length > 1) return found.filter((name) => page.printable(name) !== given);
      if (found.length) return found;
    }
    return [];
  }
  let list = null;
  function listOfClasses() {
    list ??= make("datalist", { id: "mark-classes" },
      ...classes.map((name) => make("option", { value: page.printable(name) })));
    if (!list.isConnected) document.body.append(list);
    return list.id;
  }

  function editor(row) {
    const button = (verdict, at) => make("button", {
      type: "button", "data-verdict": verdict, onclick: () => choose(verdict),
    }, make("kbd", { "aria-hidden": "true" }, String(at + 1)), ` ${verdict}`);
    const buttons = VERDICTS.map(button);
    const none = make("button", { type: "button", class: "none", onclick: () => choose(null) },
      make("kbd", { "aria-hidden": "true" }, "0"), " no mark");
    const label = make("input", { type: "text", list: listOfClasses(), autocomplete: "off", spellcheck: "false", placeholder: "the right class", class: "right-label" });
    const guesses = make("span", { class: "guesses" });
    const problem = make("p", { class: "problem", role: "status" });
    const right = make("div", { class: "right-class" },
      make("label", {}, make("span", {}, "it is"), label), guesses, problem);
    const remark = make("textarea", { rows: "2", maxlength: data.marks.longest });
    const theirs = make("div", { class: "theirs" });
    const said = make("p", { class: "soft", role: "status" });  // stays in the tree: what appears with its words is not read out
    const element = make("section", { class: "part mark-editor", "aria-label": "Mark", "data-image": row },
      make("h3", {}, "Mark"),
      make("div", { class: "verdicts", role: "group", "aria-label": "What is wrong with it" }, ...buttons, none),
      right, make("label", { class: "remark" }, make("span", {}, "remark"), remark), theirs, said);

    const now = () => marks.of(row);
    const write = (changes) => marks.set(row, { verdict: VERDICTS.at(-1), label: null, remark: "", ...now(), ...changes });
    function choose(verdict) {
      if (!verdict) { marks.set(row, null); remark.value = ""; label.value = ""; refresh(); return; }
      write({ verdict, label: verdict === WRONG_LABEL ? typedLabel() : null, remark: remark.value });
      if (verdict === WRONG_LABEL) label.focus();
    }
    // What is typed counts when it means one class, and another one than the label.
    let given = null;  // the label that the image has
    function typedLabel() {
      const text = label.value.trim(), names = text ? classesCalled(text, given) : [];
      problem.replaceChildren();
      if (!text) return null;
      if (names.length !== 1) {
        problem.append(whyNone(text, names), make("button", {
          type: "button", class: "link", onclick: sayInRemark,
        }, "say so in the remark"));
        return null;
      }
      if (page.printable(names[0]) === given) {
        problem.append("That is the label it has.");
        return null;
      }
      label.value = page.printable(names[0]);
      return names[0];
    }
    function sayInRemark() {
      remark.value = [remark.value.trim(), label.value.trim()].filter(Boolean).join(", ");
      label.value = "";
      problem.replaceChildren();
      write({ label: null, remark: remark.value });
    }
    const labelled = () => write({ verdict: WRONG_LABEL, label: typedLabel(), remark: remark.value });
    label.addEventListener("change", labelled);
    // After a class was entered the keys are those of the image again.
    let entered = false;
    label.addEventListener("keydown", (event) => { entered = event.key === "Enter"; });
    label.addEventListener("keyup", (event) => {
      if (event.key === "Enter" && entered && now()?.label) buttons[0].focus();
      entered = false;
    });
    label.addEventListener("input", () => { if (classes.includes(label.value)) labelled(); });

    // ---- the remark: kept while it is typed ----
    let pending = null;
    const remarked = () => {
      clearTimeout(pending);
      pending = null;
      if (remark.value.trim() || now()) write({ remark: remark.value });
    };
    remark.addEventListener("input", () => {
      clearTimeout(pending);
      pending = setTimeout(remarked, PAUSE);
    });
    remark.addEventListener("change", remarked);
    // Nothing typed is lost when the image is left: words that mean no class become the remark.
    function leave() {
      if (pending) remarked();
      if (!label.value.trim() || !now()) return;
      const name = typedLabel();
      if (name === null) sayInRemark();
      else if (now().verdict === WRONG_LABEL) write({ label: name });
    }

    async function guess() {
      const facts = await page.store.facts(row);
      given = facts.label_name;
      const likely = [facts.pred_name, ...(facts.top ?? []).map(([name]) => name)];
      const names = [...new Set(likely)].filter((name) => name && name !== given).slice(0, MOST_GUESSES);
      guesses.replaceChildren(...names.map((name) => make("button", {
        type: "button", onclick: () => { label.value = name; labelled(); },
      }, ...page.named(name, { whole: true }))));
    }

    function refresh() {
      const mark = now();
      for (const one of buttons) one.setAttribute("aria-pressed", one.dataset.verdict === mark?.verdict);
      none.disabled = !mark;
      right.hidden = mark?.verdict !== WRONG_LABEL;
      if (document.activeElement !== label && mark?.label) label.value = page.printable(mark.label);
      if (document.activeElement !== remark && !pending && mark) remark.value = mark.remark;
      theirs.replaceChildren(...marks.saidOf(row).map(colleague));
      if (!marks.where()) said.textContent = "It cannot be kept: it is gone when this page is closed.";
      else if (said.className === "problem") said.textContent = "";
      said.className = marks.where() ? "soft" : "problem";
    }
    const tellKept = () => { said.textContent = now() ? `Saved ${marks.where()}.` : "The mark is taken away."; };
    function colleague({ name, mark }) {
      const who = make("span", { class: "soft" }, `${page.printable(name)}: `);
      if (marks.same(mark, now())) return make("p", {}, who, `${verdictOf(mark)}, as yours`);
      return make("p", {}, who, ...page.markWords(mark), " ",
        make("button", { type: "button", class: "link", onclick: () => {
          marks.set(row, mark);
          label.value = mark.label ? page.printable(mark.label) : "";
          remark.value = mark.remark;
          refresh();
        } }, "take over"));
    }
    shown?.leave();
    shown = { row, element, choose, refresh, leave, tellKept };
    refresh();
    guess();
    return element;
  }

  function whyNone(text, names) {
    if (!names.length) return `The run has no class ${page.printable(text)}. `;
    const some = names.slice(0, MOST_GUESSES).map(page.printable).join(", ");
    const more = names.length > MOST_GUESSES ? ` and ${page.count(names.length - MOST_GUESSES)} more` : "";
    return `${page.printable(text)} may be ${some}${more}. `;
  }

  // ---- the words of a mark, wherever one is told ----
  const verdictOf = (mark) => (marks.isIncomplete(mark) ? `${mark.verdict}, right one missing` : mark.verdict);
  function markWords(mark, label = null) {
    const parts = [make("span", { class: "verdict-tag" }, verdictOf(mark))];
    if (mark.label !== null) {
      const from = label === null ? "" : `${label} → `;
      parts.push(" ", make("b", {}, ...page.named(`${from}${page.printable(mark.label)}`, { whole: true })));
    }
    if (mark.remark) parts.push(" ", make("span", { class: "remark-text" }, mark.remark));
    return parts;
  }

  document.addEventListener("place", () => { if (shown && page.place.image !== shown.row) shown.leave(); });
  addEventListener("pagehide", () => shown?.leave());
  document.addEventListener("kept", ({ detail }) => { if (detail.includes(shown?.row)) shown.tellKept(); });
  document.addEventListener("marks", () => { if (shown?.element.isConnected) shown.refresh(); });
  document.addEventListener("keydown", (event) => {
    if (!shown?.element.getClientRects().length) return;  // the lightbox is closed
    if (event.altKey || event.ctrlKey || event.metaKey || event.isComposing) return;
    if (event.target.matches("input, select, textarea")) return;
    const at = "01234".indexOf(event.key);
    if (at < 0 || event.key.length !== 1) return;
    event.preventDefault();
    shown.choose(at ? VERDICTS[at - 1] : null);
  });
  marks.editor = editor;
  Object.assign(page, { markWords });
})();
