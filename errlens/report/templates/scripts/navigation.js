// Which section is being read, wide tables, and what print needs.
(() => {
  const { by } = page;
  const links = new Map([...document.querySelectorAll("#sections a")].map((link) =>
    [link.hash.slice(1), link]));

  // The section is current that the upper part of the window is in; of several the first.
  const inSight = new Set();
  let current = null;
  function mark() {
    const name = [...links.keys()].find((id) => inSight.has(id));
    if (name === undefined || name === current) return;
    links.get(current)?.removeAttribute("aria-current");
    current = name;
    const link = links.get(name);
    link.setAttribute("aria-current", "true");
    const list = by("sections");  // on a narrow page it scrolls sideways; the page itself stays
    if (list.scrollWidth > list.clientWidth) list.scrollLeft = link.offsetLeft - list.clientWidth / 3;
  }
  const watch = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) inSight.add(target.id);
      else inSight.delete(target.id);
    }
    mark();
  }, { rootMargin: "-12% 0px -68% 0px" });
  for (const id of links.keys()) if (by(id)) watch.observe(by(id));

  // What is wider than its place says so by a shadow at the edge, and in words.
  const sized = new ResizeObserver((entries) => entries.forEach(({ target }) => hint(target)));
  function hint(box) {
    box.classList.toggle("wider", box.scrollWidth > box.clientWidth + 1);
  }
  for (const box of document.querySelectorAll(".scroll")) sized.observe(box);

  // On paper nothing can be opened.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("main details:not([open])")];
    for (const one of opened) one.open = true;
  });
  addEventListener("afterprint", () => {
    for (const one of opened) one.open = false;
  });
})();
