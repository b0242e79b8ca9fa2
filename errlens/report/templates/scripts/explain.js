// Heat maps of the open image, made when they are asked for; only a served page can.
(() => {
  const { data, make, remote } = page;
  if (!remote) return;
  const { methods, why_no_maps: why } = data.remote;
  let chosen = methods[0];

  // What the server keeps of each row: what it said when it told of the image, and what was made since.
  const made = new Map();
  const methodsOf = (row, facts) => made.get(row) ?? facts.made ?? [];

  function explainer(row, facts) {
    const part = make("div", { class: "part explainer" }, make("h3", {}, "Explain it now"));
    if (!methods.length) {
      part.append(make("p", { class: "soft" }, `${why}.`));
      return part;
    }
    const select = make("select", {}, ...methods.map((name) => make("option", { value: name }, name)));
    select.value = chosen;
    const drawn = (src, name) => {
      const image = make("img", { src, alt: `Heat maps of ${facts.path} by ${name}` });
      image.addEventListener("load", () => image.classList.add("wide"), { once: true });
      return page.heatmap(image, name);
    };
    const said = make("p", { class: "soft", role: "status" }), shown = make("div", { class: "heats" });
    const button = make("button", { type: "button", onclick: async () => {
      chosen = select.value;
      button.disabled = true;
      said.textContent = `${chosen}: explaining; the first time the model is loaded, which takes a while.`;
      try {
        const url = await remote.map(row, chosen);
        shown.prepend(drawn(url, chosen));
        made.set(row, [chosen, ...methodsOf(row, facts).filter((name) => name !== chosen)]);
        said.textContent = "";
      } catch (error) {
        said.textContent = `${chosen}: ${error.message}.`;
      }
      button.disabled = false;
    } }, "Explain");
    shown.append(...methodsOf(row, facts).map((name) => drawn(`map?${new URLSearchParams({ row, method: name })}`, name)));
    part.append(make("p", {}, make("label", {}, "by ", select), " ", button), said, shown);
    return part;
  }
  const { imageParts } = page;
  page.imageParts = (row, facts) => {
    const parts = imageParts(row, facts);
    parts.splice(facts.heatmaps?.length ? 3 : 2, 0, ...(parts.length ? [explainer(row, facts)] : []));
    return parts;
  };
})();
