// Pictures, and the tiles that hold them: those of the page are filled after the first paint.
(() => {
  const { data, make, later } = page;
  function fill(image) {
    const name = image.dataset.picture;
    const { url, absent } = page.store.picture(name, "large" in image.dataset);
    if (url) {
      image.addEventListener("load", () => {
        if (image.naturalWidth > 500) image.classList.add("wide");
      }, { once: true });
      image.src = url;
      return;
    }
    // Of most images of a large run there is no picture: what it is called says more than that.
    const isLeftOut = !absent || absent.startsWith("left out");
    const said = isLeftOut && image.dataset.path ? image.dataset.path : `no picture: ${absent}`;
    image.replaceWith(make("span", { class: "gone" }, ...named(said, { whole: true })));
  }
  const fillAll = (within) => within.querySelectorAll("img[data-picture]:not([src])").forEach(fill);
  later(() => fillAll(document));
  addEventListener("beforeprint", () => fillAll(document));

  // ---- names in little room: as `named` and `fitted` of report/html.py write them ----
  const LONG = 11, END = 7;  // letters: of a word that may be too long, and what stays of its end
  const fitted = (text) => make("span", { class: "word", title: text }, text);
  // The parts of a name that may end a line: it breaks at _ - / . and never inside of a word.
  function named(text, { whole = false } = {}) {
    const words = text.match(/[^_\-/. ]*[_\-/. ]|[^_\-/. ]+/g) ?? [];
    return words.flatMap((word, at) => [
      ...(at ? [make("wbr")] : []), [...word].length > LONG && !whole ? fitted(word) : word,
    ]);
  }
  // An ellipsis goes into the middle of what is too long: the end tells files apart.
  function shorten(word) {
    const letters = [...word.title];
    let most = Math.floor(letters.length * word.clientWidth / word.scrollWidth);
    do {
      const end = Math.min(END, Math.floor(most / 2));
      word.textContent = `${letters.slice(0, Math.max(1, most - end - 1)).join("")}…${letters.slice(-end).join("")}`;
    } while (word.scrollWidth > word.clientWidth && --most > 3);
  }
  let fitting = null;
  function fit() {
    fitting ??= requestAnimationFrame(() => {
      fitting = null;
      const words = [...document.querySelectorAll(".word")];
      words.filter((word) => word.scrollWidth > word.clientWidth).forEach(shorten);
    });
  }
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth === width) return;
    width = innerWidth;
    for (const word of document.querySelectorAll(".word")) word.textContent = word.title;
    fit();
  });
  later(fit);

  // The tile of an image. `facts` are those of the store; `brief` leaves out what all tiles beside it
  // share; `note` is one more thing to say of it.
  const SIGN = { right: "✓\u00a0", wrong: "✗\u00a0", other: "" };
  function shot(row, { facts = data.facts[row], brief = true, note = "" } = {}) {
    const side = facts.correct ? "right" : facts.correct === false ? "wrong" : "other";
    const label = facts.label_name ?? "no label", file = facts.path.slice(facts.path.lastIndexOf("/") + 1);
    const image = make("img", {
      "data-picture": row, "data-path": facts.path, alt: `${facts.path}: ${label}${judged(facts)}`,
    });
    const classes = facts.pred_name === null ? facts.status :
      facts.correct ? facts.label_name : facts.label_name === null ? facts.pred_name : `${label} → ${facts.pred_name}`;
    const short = brief && facts.confidence !== null;
    const numbers = [
      short ? "" : facts.confidence,
      facts.label_prob !== null && facts.correct === false ? `true ${facts.label_prob}` : "",
      note, `row ${row}`,
    ];
    const figure = make("figure", { class: `shot ${side}`, "data-row": row },
      make("button", { class: "picture", type: "button" }, image),
      make("figcaption", { title: facts.path },
        make("span", { class: "said" }, SIGN[side], ...named(short ? facts.confidence : classes)),
        make("span", { class: "file" }, ...together(numbers.filter(Boolean)), fitted(file))));
    const mark = page.marks?.of(row);
    if (mark) figure.dataset.marked = mark.verdict;
    figure.toggleAttribute("data-incomplete", Boolean(page.marks?.isIncomplete(mark)));
    fill(image);
    fit();
    return figure;
  }
  const together = (texts) => texts.flatMap((text, at) => [
    make("span", { class: "together" }, `${text}${at < texts.length - 1 ? "," : ""}`), " "]);
  function judged(facts) {
    if (facts.correct) return ", right";
    if (facts.pred_name === null) return `, ${facts.status}`;
    return `, ${facts.correct === false ? "taken for" : "predicted"} ${facts.pred_name}`;
  }
  Object.assign(page, { shot, judged, named, fill });
})();
