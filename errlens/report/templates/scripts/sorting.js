// Tables whose rows are sorted by the head of a column that is pressed.
(() => {
  const { make } = page;
  const valueOf = (row, at) => {
    const { value } = row.cells[at].dataset;
    return value === undefined ? row.cells[at].textContent.trim().toLowerCase() : Number(value);
  };
  // What is not known, or says nothing, comes last either way.
  const isKnown = (value) => typeof value === "number" ? !Number.isNaN(value) : value !== "" && value !== "-";
  function sort(table, heads, at) {
    const head = heads[at], body = table.tBodies[0], isNumber = head.classList.contains("n");
    // Of numbers the largest come first, of names the first.
    const before = head.getAttribute("aria-sort"), first = isNumber ? "descending" : "ascending";
    const order = before === first ? { ascending: "descending", descending: "ascending" }[first] : first;
    const sign = order === "descending" ? -1 : 1;
    for (const other of heads) other.setAttribute("aria-sort", other === head ? order : "none");
    const rows = [...body.rows].map((row) => ({ row, value: valueOf(row, at) }));
    rows.sort((a, b) => {
      const known = isKnown(b.value) - isKnown(a.value);
      if (known || a.value === b.value) return known;
      return (a.value < b.value ? -1 : 1) * sign;
    });
    body.append(...rows.map(({ row }) => row));
  }
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, at) => {
      const word = head.querySelector("abbr");
      const button = make("button", { type: "button", title: word?.title ?? `sort by ${head.textContent}`,
        onclick: () => sort(table, heads, at) }, head.textContent);
      head.replaceChildren(button);
      head.setAttribute("aria-sort", "none");
    });
  }
})();
