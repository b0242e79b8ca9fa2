// Which classes the matrix shows: all, those of a group or superclass, or those around a name.
(() => {
  const { data, count, make, nCells } = page;
  const matrix = data.matrix;
  if (!matrix) return;
  const names = matrix.names, MOST = 40;
  const lower = names.map((name) => name.toLowerCase());

  // What can be chosen, as [value, text] by heading.
  const members = matrix.superclasses.map(() => 0);
  for (const parent of matrix.parents) members[parent] += 1;
  const choices = {
    "": [["all", `all ${count(names.length)} classes`],
      ...(names.length > MOST ? [["most", `the ${MOST} with most errors`]] : [])],
    "Superclasses": matrix.superclasses.map((name, parent) =>
      [`superclass:${name}`, `${name} (${count(members[parent])} classes)`]),
    "Groups of classes that are mixed up": matrix.groups.map(({ group, classes }) =>
      [`group:${group}`, `group ${group}: ${listed(classes)}`]),
  };
  function listed(classes) {
    const first = classes.slice(0, 4).map((index) => names[index]).join(", ");
    return classes.length > 4 ? `${first}, … (${count(classes.length)})` : first;
  }
  function options() {
    return Object.entries(choices).filter(([, some]) => some.length).flatMap(([heading, some]) => {
      const inside = some.map(([value, text]) => make("option", { value }, text));
      return heading ? [make("optgroup", { label: heading }, ...inside)] : inside;
    });
  }
  const isChoice = (focus) => Object.values(choices).flat().some(([value]) => value === focus);

  // Classes by the errors that they have part in, of those cells that count, the most first.
  function byErrors(counts = () => true) {
    const wrong = new Map();
    const add = (index, n) => wrong.set(index, (wrong.get(index) || 0) + n);
    for (let at = 0; at < 3 * nCells; at += 3) {
      const [t, p, n] = [matrix.cells[at], matrix.cells[at + 1], matrix.cells[at + 2]];
      if (counts(t, p)) { add(t, n); add(p, n); }
    }
    return [...wrong.entries()].sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([index]) => index);
  }
  const inOrder = (chosen) => {
    const inside = new Set(chosen);
    return matrix.order.filter((index) => inside.has(index));
  };

  function focused(focus) {
    const [kind, value] = [focus.split(":")[0], focus.slice(focus.indexOf(":") + 1)];
    if (kind === "most") return inOrder(byErrors().slice(0, MOST));
    if (kind === "group") {
      return inOrder(matrix.groups.find(({ group }) => String(group) === value).classes);
    }
    if (kind === "superclass") {
      const parent = matrix.superclasses.indexOf(value);
      return matrix.order.filter((index) => matrix.parents[index] === parent);
    }
    return matrix.order;
  }

  // A class by its name, or all that have a text in theirs, with what they are confused with.
  function around(text) {
    const wanted = text.trim().toLowerCase();
    const exact = lower.indexOf(wanted);
    const all = exact >= 0 ? [exact] : names.map((_, at) => at).filter((at) => lower[at].includes(wanted));
    const meant = new Set(all);
    const ranked = byErrors((t, p) => meant.has(t) || meant.has(p));
    const found = all.length > MOST ? ranked.filter((at) => meant.has(at)).slice(0, MOST) : all;
    const others = ranked.filter((index) => !meant.has(index));
    const shown = others.slice(0, MOST - found.length);
    const who = found.length === 1 ? names[found[0]] : `${count(all.length)} classes with “${text.trim()}” in their name`;
    const them = found.length === 1 ? "it is" : "they are";
    let told;
    if (!all.length) told = `No class has “${text.trim()}” in its name.`;
    else if (found.length < all.length) told = `Of ${who} the ${MOST} with most errors.`;
    else if (!others.length) told = `${who}: confused with no other class.`;
    else if (shown.length < others.length) told = `${who}, and the ${count(shown.length)} classes ${them} most often confused with, of ${count(others.length)}.`;
    else told = `${who}, and the ${shown.length === 1 ? "class" : `${count(shown.length)} classes`} ${them} confused with.`;
    return { order: inOrder([...found, ...shown]), of: new Set(found), told };
  }

  // The classes shown, in their order; `of` are those asked for, where others stand around them.
  function zoomed({ focus, find }) {
    return find.trim() ? around(find) : { order: focused(focus), of: null, told: "" };
  }
  // Neighbours that share a superclass; none where one stands in several places.
  function stretches(order) {
    const found = [];
    order.forEach((index, at) => {
      const parent = matrix.parents[index], last = found.at(-1);
      if (last && last.parent === parent) last.stop = at + 1;
      else found.push({ parent, name: matrix.superclasses[parent], start: at, stop: at + 1 });
    });
    const known = found.filter(({ parent }) => parent >= 0);
    return new Set(known.map(({ parent }) => parent)).size < known.length ? [] : known;
  }
  Object.assign(page.matrix, { options, isChoice, zoomed, stretches });
})();
