// Pictures: parsed once, after the first paint.
(() => {
  const { by, read, data, make, later } = page;
  let pictures = null;
  const allPictures = () => (pictures ??= read("pictures"));
  function fill(image) {
    const { uris, absent } = allPictures();
    const name = image.dataset.picture;
    if (uris[name]) {
      image.addEventListener("load", () => {
        if (image.naturalWidth > 500) image.classList.add("wide");
      }, { once: true });
      image.src = uris[name];
      return;
    }
    const gone = make("span", { class: "gone" }, `no picture: ${absent[name] || "not made"}`);
    image.replaceWith(gone);
  }
  const fillAll = (within) => within.querySelectorAll("img[data-picture]:not([src])").forEach(fill);
  later(() => fillAll(document));
  addEventListener("beforeprint", () => fillAll(document));

  function shot(row) {
    const facts = data.facts[row];
    const side = facts.correct ? "right" : facts.correct === false ? "wrong" : "other";
    const sure = facts.confidence === null ? facts.pred_name : facts.confidence;
    const image = make("img", {
      "data-picture": row, alt: `${facts.path}: ${facts.label_name}, taken for ${facts.pred_name}`,
    });
    const truth = facts.label_prob === null ? "" : `true ${facts.label_prob}, `;
    const figure = make("figure", { class: `shot ${side}` },
      make("div", { class: "picture" }, image),
      make("figcaption", {},
        make("span", { class: "said" }, `${{ right: "✓ ", wrong: "✗ ", other: "" }[side]}${sure}`),
        make("span", { class: "file", title: facts.path },
          `${truth}row ${row} ${facts.path.slice(facts.path.lastIndexOf("/") + 1)}`)));
    fill(image);
    return figure;
  }
  page.shot = shot;
})();
