// The address: which images are in view, and which of them is open. `#images?true=cat&image=12`.
// `page.place` is {view, image, group}; `group` are the rows that an open image stands among,
// null where these are those of the view. The event "place" tells of each change.
(() => {
  const { by } = page;
  // The first view: what is wrong, if anything is, as the page ranks errors.
  const { side, rank } = by("tiles")?.dataset ?? {};
  const sort = [rank, "loss", "confidence", "path"].find((name) => page.store.sorts.includes(name)) ?? "path";
  const FIRST = Object.freeze({
    ...(side ? { side } : {}), sort, down: sort !== "margin" && sort !== "path",
  });
  const SIDES = ["right", "wrong", "none"];
  const downFirst = (sort) => sort !== "path";

  // ---- views as they are written ----
  function written(view, image = null) {
    const fields = new URLSearchParams();
    for (const name of ["true", "pred"]) {
      for (const one of [view[name] ?? []].flat()) fields.append(name, one);
    }
    for (const name of ["side", "from", "to", "finding", "text", "marked", "sort"]) {
      if (view[name] !== undefined && view[name] !== "") fields.set(name, view[name]);
    }
    if (view.down !== downFirst(view.sort)) fields.set("down", view.down);
    if (image !== null) fields.set("image", image);
    return `#images?${fields}`;
  }
  function parsed(address) {
    const fields = new URLSearchParams(address.replace(/^#images\??/, ""));
    const image = whole(fields.get("image"));
    fields.delete("image");
    return { view: fields.size ? viewOf(fields) : { ...FIRST }, image };
  }
  const whole = (text) => (/^\d{1,15}$/.test(text ?? "") ? Number(text) : null);
  // A share from 0 to 1 as people write it: 0.3, 0,3 or 30 %; null where it is none. What is above 1
  // can only be meant as a percentage: 30.
  function shareIn(text) {
    const [, number, percent] = text.trim().replace(",", ".").match(/^((?:\d+\.?\d*|\.\d+)(?:e-\d+)?)\s*(%?)$/i) ?? [];
    if (number === undefined) return null;
    const value = Number(number) / (percent || Number(number) > 1 ? 100 : 1);
    return value <= 1 ? value : null;
  }
  function viewOf(fields) {
    const view = {};
    for (const name of ["true", "pred"]) {
      const several = fields.getAll(name);
      if (several.length) view[name] = several.length > 1 ? several : several[0];
    }
    if (SIDES.includes(fields.get("side"))) view.side = fields.get("side");
    for (const name of ["from", "to"]) {
      const value = shareIn(fields.get(name) ?? "");
      if (value !== null) view[name] = value;
    }
    if (whole(fields.get("finding")) !== null) view.finding = whole(fields.get("finding"));
    for (const name of ["text", "marked"]) if (fields.get(name)) view[name] = fields.get(name);
    const sort = fields.get("sort");
    view.sort = page.store.sorts.includes(sort) ? sort : FIRST.sort;
    view.down = fields.has("down") ? fields.get("down") !== "false" : downFirst(view.sort);
    return view;
  }

  // ---- where we are; each entry of the history knows its view, also one without it in its address
  const place = { view: { ...FIRST }, image: null, group: null };
  const kept = (depth = 0) => ({
    ...history.state, view: written(place.view), image: place.image, group: place.group, depth,
  });
  const depthNow = () => history.state?.depth ?? 0;
  const stamp = () => history.replaceState(kept(depthNow()), "");
  const tell = (byLink = false) => document.dispatchEvent(new CustomEvent("place", { detail: { byLink } }));

  // Go to a place. `depth` counts the entries that an open image stands above where it was opened.
  function goTo(change, { replace = false } = {}) {
    if (!replace) stamp();
    Object.assign(place, change);
    const depth = place.image === null ? 0 : depthNow() + (replace ? 0 : 1);
    history[replace ? "replaceState" : "pushState"](
      kept(depth), "", written(place.view, place.image));
    tell();
  }
  const shut = () => goTo({ image: null, group: null }, { replace: true });
  let closing = false;
  function close() {
    closing = depthNow() > 0;
    if (closing) history.go(-depthNow()); else shut();
  }
  function follow() {
    const { state } = history;
    if (state?.view !== undefined) {
      Object.assign(place, { view: parsed(state.view).view, image: state.image, group: state.group });
      if (closing && place.image !== null) shut();  // where the address that was opened had an image
      else tell();
    } else if (/^#images(\?|$)/.test(location.hash)) {  // a link was followed
      Object.assign(place, parsed(location.hash), { group: null });
      history.replaceState(kept(), "");
      by("images")?.scrollIntoView();
      if (place.image === null) by("images")?.querySelector("h2").focus({ preventScroll: true });
      tell(true);
    } else if (place.image !== null) {  // another part of the page
      Object.assign(place, { image: null, group: null });
      tell();
    }
    closing = false;
  }
  addEventListener("popstate", follow);
  // A link to a view leads away from this one; what comes back finds it again.
  document.addEventListener("click", (event) => {
    if (event.target.closest('a[href^="#images"]')) stamp();
  }, true);
  Object.assign(page, { place, goTo, close, follow, written, firstView: FIRST, downFirst, shareIn });
})();
