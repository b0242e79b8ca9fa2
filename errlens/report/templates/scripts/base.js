// What all parts of the page share; each part adds to `page` what others may use.
"use strict";
const page = {};
(() => {
  const by = (id) => document.getElementById(id);
  const read = (id) => JSON.parse(by(id).textContent);
  const data = read("data");
  const DASH = "-";

  // ---- small helpers: text only ever goes in as text ----
  function make(tag, given = {}, ...inside) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(given)) {
      if (name === "onclick") element.addEventListener("click", value);
      else if (name === "class") element.className = value;
      else element.setAttribute(name, value);
    }
    element.append(...inside);
    return element;
  }
  const count = (n) => n.toLocaleString("en-US");
  // As errlens/formats.py writes a share; a test compares the two.
  function bare(x, n = 0) {
    const digits = n > 1000 ? 2 : 1, text = (100 * x * (1 + 1e-12)).toFixed(digits), least = 10 ** -digits;
    if (x > 0 && Number(text) === 0) return `<${least.toFixed(digits)}`;
    if (x < 1 - 1e-11 && Number(text) === 100) return `>${(100 - least).toFixed(digits)}`;
    return text;
  }
  const percent = (x) => (x === null || x === undefined ? DASH : `${bare(x)} %`);
  // As errlens/formats.py writes a probability, and a number that is no share.
  const fixed = (x, digits) => (x * (1 + 1e-12)).toFixed(digits).replace(/^-?\d+/, (all) => Number(all) ? count(Number(all)) : all);
  function probability(x) {
    if (fixed(x, 3) === "0.000") return "<0.001";
    return x < 1 && fixed(x, 3) === "1.000" ? ">0.999" : fixed(x, 3);
  }
  function number(x) {
    const text = fixed(x, 4);
    if (x && /^-?0\.0000$/.test(text)) return x > 0 ? "<0.0001" : ">-0.0001";
    return text;
  }
  function signed(x) {
    const digits = x ? Math.max(3, Math.min(6, 1 - Math.floor(Math.log10(Math.abs(x))))) : 3;
    const text = fixed(Math.abs(x), digits), isNone = !/[1-9]/.test(text);
    return isNone ? `${x > 0 ? ">" : x < 0 ? "<" : ""}${text}` : `${x > 0 ? "+" : "-"}${text}`;
  }
  // Whole as it is, else in three digits.
  const given = (x) => (Number.isInteger(x) ? String(x) : String(Number(x.toPrecision(3)))).replace("-", "\u2212");
  // A word for the shell, as errlens/escapes.py quotes it; what cannot be seen byte by byte.
  const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/u;
  function quoted(word) {
    if (/^[\w@%+=:,.\/-]+$/.test(word)) return word;
    if (!UNSEEN.test(word)) return `'${word.replaceAll("'", `'"'"'`)}'`;
    const bytes = (letter) => [...new TextEncoder().encode(letter)];
    return `$'${[...word].map((letter) => (/[\\']/.test(letter) ? `\\${letter}` : !UNSEEN.test(letter) ? letter :
      bytes(letter).map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join(""))).join("")}'`;
  }

  function wilson(hits, n) {
    const z2 = 3.841458820694124, p = hits / n;
    const centre = (p + z2 / (2 * n)) / (1 + z2 / n);
    const half = Math.sqrt(z2) / (1 + z2 / n) * Math.sqrt(p * (1 - p) / n + z2 / (4 * n * n));
    return [hits === 0 ? 0 : centre - half, hits === n ? 1 : centre + half];
  }

  // ---- light and dark ----
  const themes = ["automatic", "light", "dark"];
  function setTheme(theme) {
    if (theme === "automatic") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    by("theme").textContent = `Light or dark: ${theme}`;
    by("theme").dataset.theme = theme;
    try { localStorage.setItem("errlens-theme", theme); } catch { /* a page of its own: no store */ }
    document.dispatchEvent(new Event("repaint"));
  }
  by("theme").addEventListener("click", () => {
    const now = themes.indexOf(by("theme").dataset.theme || "automatic");
    setTheme(themes[(now + 1) % themes.length]);
  });
  let before = null;
  try { before = localStorage.getItem("errlens-theme"); } catch { /* as above */ }
  if (themes.includes(before) && before !== "automatic") setTheme(before);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
    document.dispatchEvent(new Event("repaint")));

  // The colours of the page as they are now, or as they are on paper.
  function colours(names, scheme) {
    const probe = make("span", {});
    probe.style.forcedColorAdjust = "none";
    if (scheme) probe.style.colorScheme = scheme;
    document.body.append(probe);
    const read = (name) => {
      probe.style.color = `var(--${name})`;
      return getComputedStyle(probe).color;
    };
    const found = Object.fromEntries(names.map((name) => [name, read(name)]));
    probe.remove();
    return found;
  }

  // Once the page itself is on the screen.
  const later = (work) => requestAnimationFrame(() => setTimeout(work, 0));
  Object.assign(page, { by, read, data, DASH, make, count, bare, percent, probability, number, signed, given, quoted, UNSEEN, wilson, colours, later });
})();
