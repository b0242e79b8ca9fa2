// Texts as files hold them: as errlens/escapes.py and errlens/run/csv_tables.py write them.
(() => {
  const { UNSEEN } = page;
  const SHORT = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };
  const hex = (code, digits) => code.toString(16).padStart(digits, "0");
  const seen = (text) => !UNSEEN.test(text);
  function shown(letter) {
    if (seen(letter)) return letter;
    const code = letter.codePointAt(0);
    if (code < 0x100) return SHORT[letter] ?? `\\x${hex(code, 2)}`;
    return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
  }
  // With everything escaped that cannot be seen, or moves what can.
  const printable = (text) => (seen(text) ? text : [...text].map(shown).join(""));

  // A cell that no spreadsheet calculates, that holds nothing unseen, and that is read back whole:
  // readers cut off blanks at its ends.
  function cell(text) {
    if (!seen(text) || text !== text.trim()) {
      return `$'${printable(text.replaceAll("\\", "\\\\").replaceAll("'", "\\'"))}'`;
    }
    return /^[=+\-@\uff1d\uff0b\uff0d\uff20']/.test(text) || text.startsWith("$'") ? `'${text}` : text;
  }
  const field = (value) =>
    (value === null || value === "" ? "" : typeof value === "number" ? String(value) : `"${cell(value).replaceAll('"', '""')}"`);
  const csv = (columns, lines) =>
    [columns.map((name) => `"${name}"`), ...lines.map((line) => line.map(field))].map((line) => `${line.join(",")}\n`).join("");

  // JSON with what cannot be seen escaped; YAML reads such texts, too, but takes no half of a pair.
  const units = (letter) => [...Array(letter.length).keys()].map((at) => `\\u${hex(letter.charCodeAt(at), 4)}`).join("");
  const escaped = (written, escape) => [...written].map((letter) => (letter === "\n" || seen(letter) ? letter : escape(letter))).join("");
  const json = (tree) => `${escaped(JSON.stringify(tree, null, 2), units)}\n`;
  const yaml = (text) => escaped(JSON.stringify(text), (letter) => {
    const code = letter.codePointAt(0);
    return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
  });
  // A path in an address, as Python's urllib.parse.quote writes it.
  const address = (path) => path.split("/").map((part) =>
    encodeURIComponent(part).replace(/[!'()*]/g, (letter) => `%${hex(letter.charCodeAt(0), 2).toUpperCase()}`)).join("/");
  Object.assign(page, { printable, texts: { cell, csv, json, yaml, address } });
})();
