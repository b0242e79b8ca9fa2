// Heat maps of the open image, made when they are asked for; only a served page can.
(() => {
  const { data, make, remote } = page;
  if (!remote) return;
  const { methods, why_no_maps: why } = data.remote;
  let chosen = methods[0];

  function explainer(row, facts) {
    const part = make("div", { class: "part explainer" }, make("h3", {}, "Explain it now"));
    if (!methods.length) {
      part.append(make("p", { class: "soft" }, `${why}.`));
      return part;
    }
    const select = make("select", {}, ...methods.map((name) => make("option", { value: name }, name)));
    select.value = chosen;
    const said = make("p", { class: "soft", role: "status" }), shown = make("div", { class: "heats" });
    const button = make("button", { type: "button", onclick: async () => {
      chosen = select.value;
      button.disabled = true;
      said.textContent = `${chosen}: explaining; the first time the model is loaded, which takes a while.`;
      try {
        const url = await remote.map(row, chosen);
        const alt = `Heat maps of ${facts.path} by ${chosen}`;
        shown.prepend(make("figure", { class: "heat" }, make("img", { src: url, alt }), make("figcaption", {}, chosen)));
        said.textContent = "";
      } catch (error) {
        said.textContent = `${chosen}: ${error.message}.`;
      }
      button.disabled = false;
    } }, "Explain");
    part.append(make("p", {}, make("label", {}, "by ", select), " ", button), said, shown);
    return part;
  }
  const { imageParts } = page;
  page.imageParts = (row, facts) => {
    const parts = imageParts(row, facts);
    parts.find((part) => part.matches(".beside"))?.append(explainer(row, facts));
    return parts;
  };
})();
