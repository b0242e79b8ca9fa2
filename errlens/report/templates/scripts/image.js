// What the lightbox shows of one image.
(() => {
  const { data, make, store, shot, fill, named, quoted } = page;
  const MAPS = "Where the network found its reasons";
  const SIGN = { true: "✓ ", false: "✗ " };

  function imageTitle(row, facts) {
    if (facts.path === undefined) return [`row ${row} is not on this page`];
    const label = facts.label_name ?? "no label";
    const classes = facts.pred_name === null ? `${label}, ${facts.status}` :
      facts.correct ? facts.label_name : `${label} → ${facts.pred_name}`;
    const side = { true: "right", false: "wrong" }[facts.correct] ?? "other";
    return [make("span", { class: side }, SIGN[facts.correct] ?? "", ...named(classes, { whole: true }))];
  }

  // ---- the photo, with an outline of what the network was fed ----
  const LARGE = 512, SMALL = 100, AT_LEAST = 320;  // pixels
  function photo(row, facts) {
    const { url, absent } = store.picture(row, true);
    if (!url) {
      return make("div", { class: "photo none" }, make("p", {}, `No picture here: ${absent.replace(/^left out: /, "")}.`),
        ...(data.view ? [make("p", { class: "soft" }, make("code", {}, data.view), " shows all of them.")] : []));
    }
    const image = make("img", { alt: `${facts.path}: ${facts.label_name ?? "no label"}` });
    const frame = make("div", { class: "frame-of-photo" }, image);
    image.addEventListener("load", () => {
      const { naturalWidth: wide, naturalHeight: high } = image, side = Math.max(wide, high);
      // A photo of 32 pixels is shown as such: large ones, not a blur.
      if (side <= SMALL) image.classList.add("pixels");
      const scale = side < AT_LEAST ? AT_LEAST / side : Math.min(1, LARGE / side);
      frame.style.width = `${Math.round(wide * scale)}px`;
      frame.style.aspectRatio = `${wide} / ${high}`;
    }, { once: true });
    image.src = url;
    const parts = [frame];
    if (facts.fed) {
      const [left, top, right, bottom] = facts.fed, outline = make("div", { class: "fed" });
      const percent = (share) => `${100 * share}%`;
      Object.assign(outline.style, {
        left: percent(left), top: percent(top), width: percent(right - left), height: percent(bottom - top),
      });
      const told = make("p", { class: "soft" }, "The network was fed what is inside of the outline.");
      frame.append(outline);
      parts.push(told);
      image.addEventListener("error", () => { outline.remove(); told.remove(); }, { once: true });
    }
    return make("div", { class: "photo" }, ...parts);
  }

  // ---- what the network said ----
  function top(facts) {
    if (!facts.top.length) return null;
    const lines = facts.top.map(([name, written, value]) => {
      const bar = make("span", { class: "bar" });
      bar.style.width = `${100 * value}%`;
      const truth = name === facts.label_name;
      return make("li", { class: truth ? "label" : "" },
        make("span", { class: "name" }, ...named(name, { whole: true }), truth ? make("span", { class: "tag" }, "label") : ""),
        make("span", { class: "n" }, written), make("span", { class: "rail", "aria-hidden": "true" }, bar));
    });
    return part("Most probable", make("ol", { class: "top-five" }, ...lines));
  }
  const part = (heading, ...inside) => make("div", { class: "part" }, make("h3", {}, heading), ...inside);
  function list(pairs) {
    const known = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
    return make("dl", { class: "pairs" }, ...known.map(([name, value]) => make("div", {},
      make("dt", {}, name), make("dd", {}, ...named(String(value), { whole: true })))));
  }
  const numbers = (facts) => part("Prediction", list([
    ["label", facts.label_name ?? "none"], ["predicted", facts.pred_name],
    ["status", facts.status === "ok" ? null : facts.status],
    ["confidence", facts.confidence], ["probability of the label", facts.label_prob], ["loss", facts.loss], ["margin", facts.margin],
  ]));
  const properties = (facts) => (facts.measured.length ? part("Properties", list(facts.measured)) : null);

  // ---- where it leads ----
  function findings(facts) {
    if (!facts.findings?.length) return null;
    const items = facts.findings.map(({ rank, title }) =>
      make("li", {}, page.viewed ?
        make("a", { href: page.written({ finding: rank, sort: "loss", down: true }) }, `${rank}. ${title}`) : `${rank}. ${title}`));
    return part("Findings it is in", make("ul", { class: "plain" }, ...items));
  }
  function copying(text) {
    const button = make("button", { type: "button", onclick: async () => {
      button.textContent = (await copy(text, button)) ? "copied" : "select it and copy";
      setTimeout(() => { button.textContent = "copy"; }, 2000);
    }, "aria-label": `copy ${text}` }, "copy");
    return button;
  }
  const toCopy = (text, said = "") => make("p", { class: "to-copy" }, said, make("code", {}, text), copying(text));
  for (const line of document.querySelectorAll(".to-copy")) line.append(copying(line.querySelector("code").textContent));

  async function copy(text, beside) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {  // not allowed here: the old way, by a selection
      const field = make("textarea", { "aria-hidden": "true", tabindex: "-1" });
      field.value = text;
      beside.after(field);
      field.select();
      const done = document.execCommand("copy");
      field.remove();
      beside.focus();
      return done;
    }
  }
  const explain = (row) => `${data.commands.explain} ${quoted(`row:${row}`)}`;
  // Whether there are no heat maps of an image that could have some; a served page makes them itself.
  const lacksMaps = (facts) =>
    data.commands?.explain && !facts.heatmaps.length && facts.pred_name !== null && !data.remote?.methods.length;
  function commands(row, facts) {
    const parts = [toCopy(facts.file ?? facts.path)];
    if (data.commands?.explain && !lacksMaps(facts)) parts.push(toCopy(explain(row)));
    return part("File", ...parts);
  }
  async function near(facts, within) {
    const all = await Promise.all(facts.near.map(async (row) => [row, await store.facts(row, { brief: true })]));
    const known = all.filter(([, each]) => each.path !== undefined);  // on a page about a few images
    within.hidden = !known.length;
    within.append(make("div", { class: "shots small" },
      ...known.map(([row, each]) => shot(row, { facts: each, brief: false }))));
  }
  function nearest(facts) {
    if (!facts.near.length) return null;
    const all = facts.near_all ? "; these are all right ones there are of these classes" : "";
    const found = part(`Right ones that look like it to the network${all}`);
    near(facts, found);
    return found;
  }
  function heatmap(image, caption) {
    const box = make("div", { class: "scroll" }, image);
    page.hinted(box);
    return make("figure", { class: "heat" }, box, make("figcaption", {}, caption));
  }
  function heatmaps(row, facts) {
    if (lacksMaps(facts)) return part(MAPS, toCopy(explain(row), make("span", { class: "soft" }, "No heat maps yet:")));
    if (!facts.heatmaps.length) return null;
    const figures = facts.heatmaps.map(({ picture, caption }) => {
      const image = make("img", { "data-picture": picture, alt: caption });
      const figure = heatmap(image, caption);
      fill(image);
      return figure;
    });
    return part(MAPS, make("div", { class: "heats" }, ...figures));
  }

  function imageParts(row, facts) {
    if (facts.path === undefined) return [];
    const beside = [numbers(facts), top(facts), findings(facts)];
    const below = [heatmaps(row, facts), nearest(facts), properties(facts), commands(row, facts)];
    return [
      photo(row, facts),
      make("div", { class: "beside" }, ...(page.marks ? [page.marks.editor(row)] : []), ...beside.filter(Boolean)),
      ...below.filter(Boolean),
    ];
  }
  Object.assign(page, { copy, toCopy, imageTitle, imageParts, heatmap });
})();
