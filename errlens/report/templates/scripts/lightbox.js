// One image, large, with all that is known of it: opened by whatever has a `data-row`.
(() => {
  const { by, make, count, later, place, goTo, close, follow } = page;
  const dialog = make("dialog", { id: "lightbox", "aria-labelledby": "lightbox-title" });
  const tool = (id, text, name, onclick) =>
    make("button", { id, type: "button", "aria-label": name, title: name, onclick }, text);
  const title = make("h2", { id: "lightbox-title", "aria-live": "polite", tabindex: "-1" });
  const position = make("span", { class: "soft", id: "lightbox-position" });
  const before = tool("lightbox-before", "←", "previous image", () => walk(-1));
  const after = tool("lightbox-after", "→", "next image", () => walk(1));
  const body = make("div", { class: "one-image" });
  const said = make("span", { class: "soft", role: "status" });
  const reach = location.protocol === "file:" ? "it opens where this file is at the same place" : "it opens on this machine, until errlens view ends";
  const link = make("button", { id: "lightbox-link", type: "button", title: `The link to this image: ${reach}`, onclick: async () => {
    said.textContent = await page.copy(location.href, link) ? `copied: ${reach}` : "not copied: the address bar has it";
  } }, "copy link");
  dialog.append(
    make("div", { class: "lightbox-head" }, title,
      make("div", { class: "lightbox-tools" }, said, link, position, before, after,
        tool("lightbox-close", "×", "close", close))),
    body);
  document.body.append(dialog);

  // ---- the images it stands among: those of the tiles beside it, or of the view ----
  async function beside(step) {
    const { image, group } = place;
    if (!group) return page.viewed?.beside(image, step) ?? { at: -1 };
    const at = group.indexOf(image);
    return { at, total: group.length, row: at < 0 ? undefined : group[at + step] };
  }
  async function walk(step) {
    const { row } = await beside(step);
    if (row !== undefined) goTo({ image: row }, { replace: true });
  }
  async function showPlace(mine) {
    const [back, on] = [await beside(-1), await beside(1)];
    if (mine !== turn) return;
    // A button that is disabled loses the focus; these only say that they do nothing.
    before.setAttribute("aria-disabled", back.row === undefined);
    after.setAttribute("aria-disabled", on.row === undefined);
    position.textContent = on.at < 0 ? "" : `${count(on.at + 1)} of ${count(on.total)}`;
  }

  // ---- opened, filled and closed as the address says ----
  let turn = 0, opener = null;
  async function show() {
    const mine = ++turn, row = place.image;
    if (row === null) {
      if (dialog.open) dialog.close();
      return;
    }
    const facts = await page.store.facts(row);
    if (mine !== turn) return;
    said.textContent = "";
    title.replaceChildren(...page.imageTitle(row, facts));
    body.replaceChildren(...page.imageParts(row, facts));
    if (!dialog.open) {
      dialog.showModal();
      title.focus();
    }
    body.scrollTop = 0;  // what is closed cannot be scrolled
    showPlace(mine);
  }
  const openAt = (tile) => {
    const row = Number(tile.dataset.row);
    const around = tile.closest(".shots") ?? tile.parentElement;
    if (!dialog.contains(tile)) opener = { around, tile };
    const group = around === page.viewed?.tiles ? null :
      [...new Set([...around.querySelectorAll("[data-row]")].map((one) => Number(one.dataset.row)))];
    goTo({ image: row, group });
  };
  // For what is no tile: the image stands among `group`, and `from` gets the focus back.
  page.openImage = (row, group, from) => {
    opener = { around: from, tile: from };
    goTo({ image: row, group });
  };
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    close();
  });
  dialog.addEventListener("close", () => {
    if (place.image !== null) close();  // the browser closed it on its own
    else giveFocusBack();
  });
  // To the tile that was opened, or to the one that was walked to.
  function giveFocusBack() {
    if (byLink) {
      by("images")?.querySelector("h2").focus({ preventScroll: true });
      return;
    }
    const around = opener?.around ?? page.viewed?.tiles;
    const tile = around?.querySelector(`[data-row="${lastRow}"]`) ?? opener?.tile;
    (tile?.querySelector("button") ?? tile ?? by("images")?.querySelector("h2"))?.focus();
    opener = null;
  }
  let lastRow = null, byLink = false;  // whether a link led away from it
  document.addEventListener("place", ({ detail }) => {
    ({ byLink } = detail);
    if (place.image !== null) lastRow = place.image;
    show();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) close();  // beside the sheet
  });
  // In a field without a letter the arrow keys have nothing else to do.
  const isTypedInto = (target) => target.matches("input, select, textarea") && !target.matches("input.right-label:placeholder-shown");
  dialog.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey || isTypedInto(event.target)) return;
    event.preventDefault();
    walk(step);
  });
  document.addEventListener("click", (event) => {
    const tile = event.target.closest("[data-row]");
    if (!tile || event.target.closest("a, summary, input, select, label")) return;
    openAt(tile);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("[data-row]:not(button, a)")) openAt(event.target);
  });
  later(() => {
    // What is no button, and holds none, is reached and pressed by the keyboard all the same.
    for (const tile of document.querySelectorAll("[data-row]:not(button, a, [tabindex]):not(:has(button))")) {
      tile.tabIndex = 0;
      tile.setAttribute("role", "button");
    }
    follow();
  });
})();
