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

  // What is wider than its place says so at the edge, and in words.
  const sized = new ResizeObserver((entries) => entries.forEach(({ target }) => hint(target.closest(".scroll, #plot, #classes"))));
  function hint(box) {
    const more = box.scrollWidth - box.clientWidth;
    box.classList.toggle("wider", more > 1);
    box.classList.toggle("at-end", box.scrollLeft > more - 2);
  }
  // By its edges, and by those of what is in it: pictures come later. At the end there is no more.
  function hinted(box) {
    for (const one of [box, ...box.children]) sized.observe(one);
    box.addEventListener("scroll", () => hint(box), { passive: true });
  }
  document.querySelectorAll(".scroll, #plot").forEach(hinted);
  page.hinted = hinted;

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
