// The part of the lightbox where a person says what is wrong with an image; keys 1 to 4, and 0.
(() => {
  const { data, make, marks } = page;
  const { VERDICTS, WRONG_LABEL } = marks, classes = data.marks.classes;
  const MOST_GUESSES = 4, PAUSE = 300;  // milliseconds between two letters
  let shown = null;  // the editor that was made last, and the image that it is about

  // ---- the right class, typed: as it is called, or the only one called nearly so ----
  const folded = (text) => text.normalize("NFKC").toLowerCase().replace(/[\s_-]+/g, " ").trim();
  let byFolded = null;
  function classCalled(text) {
    const exact = classes.find((name) => name === text || page.printable(name) === text);
    if (exact !== undefined) return exact;
    if (!byFolded) {
      byFolded = new Map();
      for (const name of classes) byFolded.set(folded(name), byFolded.has(folded(name)) ? null : name);
    }
    return byFolded.get(folded(text)) ?? null;
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
    const label = make("input", { type: "text", list: listOfClasses(), autocomplete: "off", spellcheck: "false", class: "right-label" });
    const guesses = make("span", { class: "guesses" });
    const problem = make("p", { class: "problem", role: "status" });
    const right = make("div", { class: "right-class" },
      make("label", {}, make("span", {}, "it is"), label), guesses, problem);
    const remark = make("textarea", { rows: "2", maxlength: data.marks.longest });
    const theirs = make("div", { class: "theirs" });
    const said = make("p", { class: "soft", role: "status" });
    const element = make("section", { class: "part mark-editor", "aria-label": "Mark", "data-image": row },
      make("h3", {}, "Mark"),
      make("div", { class: "verdicts", role: "group", "aria-label": "What is wrong with it" }, ...buttons, none),
      right, make("label", { class: "remark" }, make("span", {}, "remark"), remark), theirs, said);

    const now = () => marks.of(row);
    const write = (changes) => marks.set(row, { verdict: VERDICTS.at(-1), label: null, remark: "", ...now(), ...changes });
    function choose(verdict) {
      if (!verdict) { marks.set(row, null); remark.value = ""; label.value = ""; refresh(); return; }
      write({ verdict, label: verdict === WRONG_LABEL ? typedLabel() : null, remark: remark.value });
    }
    // What is typed counts when it is the name of a class, and of another one than the label.
    let given = null;  // the label that the image has
    function typedLabel() {
      const text = label.value.trim(), name = text ? classCalled(text) : null;
      problem.replaceChildren();
      if (!text) return null;
      if (name === null) {
        problem.append(`The run has no class ${page.printable(text)}. `, make("button", {
          type: "button", class: "link", onclick: () => {
            remark.value = [remark.value.trim(), text].filter(Boolean).join(", ");
            label.value = "";
            write({ verdict: WRONG_LABEL, label: null, remark: remark.value });
            problem.replaceChildren();
          },
        }, "say so in the remark"));
        return null;
      }
      if (page.printable(name) === given) {
        problem.append("That is the label it has.");
        return null;
      }
      return name;
    }
    const labelled = () => write({ verdict: WRONG_LABEL, label: typedLabel(), remark: remark.value });
    label.addEventListener("change", labelled);
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
    addEventListener("pagehide", () => { if (pending) remarked(); });

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
      const where = marks.where();
      said.textContent = where ? "" : "It cannot be kept: it is gone when this page is closed.";
      said.hidden = Boolean(where);
    }
    function colleague({ name, mark }) {
      const who = make("span", { class: "soft" }, `${page.printable(name)}: `);
      if (marks.same(mark, now())) return make("p", {}, who, `${mark.verdict}, as yours`);
      return make("p", {}, who, ...page.markWords(mark), " ",
        make("button", { type: "button", class: "link", onclick: () => {
          marks.set(row, mark);
          label.value = mark.label ? page.printable(mark.label) : "";
          remark.value = mark.remark;
          refresh();
        } }, "take over"));
    }
    shown = { element, choose, refresh };
    refresh();
    guess();
    return element;
  }

  // ---- the words of a mark, wherever one is told ----
  function markWords(mark, label = null) {
    const parts = [make("span", { class: "verdict-tag" }, mark.verdict)];
    if (mark.label !== null) {
      const from = label === null ? "" : `${label} → `;
      parts.push(" ", make("b", {}, ...page.named(`${from}${page.printable(mark.label)}`, { whole: true })));
    }
    if (mark.remark) parts.push(" ", make("span", { class: "remark-text" }, mark.remark));
    return parts;
  }

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
