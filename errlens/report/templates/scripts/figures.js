// Figures that other commands drew: small on the page, whole in a dialog, one after the other.
(() => {
  const { make, count } = page;
  const figures = [...document.querySelectorAll(".drawn")];
  if (!figures.length) return;
  const dialog = make("dialog", { id: "drawing", "aria-labelledby": "drawing-title" });
  const tool = (id, text, name, onclick) =>
    make("button", { id, type: "button", "aria-label": name, title: name, onclick }, text);
  const title = make("h2", { id: "drawing-title", "aria-live": "polite", tabindex: "-1" });
  const position = make("span", { class: "soft" });
  const before = tool("drawing-before", "←", "previous figure", () => walk(-1));
  const after = tool("drawing-after", "→", "next figure", () => walk(1));
  const sheet = make("div", { class: "sheet", tabindex: "0", role: "region", "aria-label": "the figure" });
  dialog.append(
    make("div", { class: "lightbox-head" }, title,
      make("div", { class: "lightbox-tools" }, position, before, after,
        tool("drawing-close", "×", "close", () => dialog.close()))),
    sheet);
  document.body.append(dialog);

  // Of those that could not be shown there is nothing to see.
  const shown = () => figures.filter((figure) => figure.querySelector("img[src]"));
  let current = null;
  function show(figure) {
    const all = shown(), at = all.indexOf(figure), small = figure.querySelector("img");
    current = figure;
    const image = make("img", { src: small.src, alt: small.alt });
    image.style.setProperty("--wide", `${small.naturalWidth}px`);
    title.textContent = small.alt;
    position.textContent = `${count(at + 1)} of ${count(all.length)}`;
    before.setAttribute("aria-disabled", at === 0);
    after.setAttribute("aria-disabled", at === all.length - 1);
    const box = make("div", { class: "scroll" }, image);
    sheet.replaceChildren(box);
    page.hinted(box);
    if (!dialog.open) {
      dialog.showModal();
      title.focus();
    }
    sheet.scrollTo(0, 0);
  }
  function walk(step) {
    const all = shown(), next = all[all.indexOf(current) + step];
    if (next) show(next);
  }
  for (const figure of figures) {
    figure.querySelector("button").addEventListener("click", () => {
      if (figure.querySelector("img[src]")) show(figure);
    });
  }
  dialog.addEventListener("close", () => current?.querySelector("button").focus());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();  // beside the sheet
  });
  dialog.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.target.matches(".scroll.wider")) return;  // it scrolls
    event.preventDefault();
    walk(step);
  });
})();
