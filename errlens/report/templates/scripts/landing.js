// Where the page opens: at the part that the address names, or after a reload where it was left. Much
// of the page is laid out only after that, so the place is held until its reader moves.
(() => {
  const { by } = page;
  const KEY = "errlens-left-at";
  const padding = () => parseFloat(getComputedStyle(document.documentElement).scrollPaddingTop) || 0;

  // ---- left: the part that is being read, and how far it is from the top ----
  function partRead() {
    const parts = [...document.querySelectorAll("main :is(section, article)[id]")];
    const begun = parts.filter((part) => part.getBoundingClientRect().top <= 0.12 * innerHeight);
    return begun.at(-1) ?? null;
  }
  function remember() {
    const part = scrollY > 0 ? partRead() : null;  // at the top there is nothing to hold
    const said = { page: location.pathname, part: part?.id, top: part?.getBoundingClientRect().top };
    try {
      sessionStorage.setItem(KEY, JSON.stringify(said));
      if (part) history.scrollRestoration = "manual";
    } catch { /* nothing can be kept: the browser does what it can */ }
  }
  function leftAt() {
    try {
      const said = JSON.parse(sessionStorage.getItem(KEY));
      return said?.page === location.pathname ? said : null;
    } catch { return null; }
  }
  function target() {
    const isBack = performance.getEntriesByType("navigation")[0]?.type !== "navigate";
    const left = isBack ? leftAt() : null;
    if (left) return by(left.part) && { part: by(left.part), top: left.top };
    let name = location.hash.slice(1).split("?")[0];
    try { name = decodeURIComponent(name); } catch { /* it is called so */ }
    return by(name) && { part: by(name), top: padding() };
  }

  // ---- held: each time that the page has grown, until somebody else has scrolled ----
  function hold({ part, top }) {
    const root = document.documentElement, placed = {};
    root.style.overflowAnchor = "none";  // one at a time
    const high = () => root.scrollHeight;
    function put() {
      scrollBy(0, part.getBoundingClientRect().top - top);
      Object.assign(placed, { at: scrollY, high: high() });
    }
    const moved = () => { if (high() === placed.high && Math.abs(scrollY - placed.at) > 2) release(); };
    const sized = new ResizeObserver(put);
    const ACTIONS = ["wheel", "touchstart", "pointerdown", "keydown", "popstate"];
    function release() {
      sized.disconnect();
      removeEventListener("scroll", moved);
      for (const action of ACTIONS) removeEventListener(action, release, true);
      root.style.overflowAnchor = "";
      history.scrollRestoration = "auto";
    }
    sized.observe(document.body);
    addEventListener("scroll", moved);
    for (const action of ACTIONS) addEventListener(action, release, { capture: true, passive: true });
  }
  const wanted = target();
  if (wanted) hold(wanted);
  else history.scrollRestoration = "auto";
  addEventListener("pagehide", remember);
  addEventListener("pageshow", ({ persisted }) => { if (persisted) history.scrollRestoration = "auto"; });
})();
