// Around the matrix: names of classes, brackets of superclasses, and what the axes mean.
(() => {
  const { by, data } = page;
  const matrix = data.matrix;
  if (!matrix) return;
  const NAMED = 60;  // more classes than that cannot be read; then superclasses are
  const AXIS = 20, BRACKET = 24, GAP = 6, LARGEST = 64, FEW = 240, LEAST = 13, MARGIN = 5, FRAME = 4;  // pixels
  const LETTERS = 30;

  function svg(tag, given, ...inside) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(given)) element.setAttribute(name, value);
    element.append(...inside);
    return element;
  }
  const ruler = document.createElement("canvas").getContext("2d");
  function widths(texts, size) {  // in bold, as the names of the cell that is chosen are
    ruler.font = `700 ${size}px ${getComputedStyle(document.body).fontFamily}`;
    return texts.map((text) => Math.ceil(ruler.measureText(text).width));
  }
  // A long name loses its middle.
  function shortened(name, most) {
    const letters = [...name], half = Math.floor((most - 1) / 2);
    return letters.length <= most ? name
      : [...letters.slice(0, most - 1 - half), "…", ...letters.slice(letters.length - half)].join("");
  }
  function written(names, size, room) {
    for (let most = LETTERS; ; most -= 2) {
      const texts = names.map((name) => shortened(name, most));
      const wide = Math.max(0, ...widths(texts, size));
      if (wide <= room || most <= 8) return { texts, wide, size };
    }
  }

  // What is named, each with the places `start` to `stop` that its name is for.
  function namedOf(order, stretches) {
    if (order.length > NAMED) return stretches.map((one) => ({ ...one, zoom: { superclass: one.name } }));
    return order.map((index, at) =>
      ({ name: matrix.names[index], start: at, stop: at + 1, zoom: { class: index } }));
  }

  // Where everything is, for a plot of some width: the cells are squares of `step` pixels.
  function layout(order, stretches, width) {
    const k = order.length, isNamed = k <= NAMED;
    const outside = AXIS + (isNamed && stretches.length ? BRACKET : 0);
    let named = namedOf(order, stretches), text, left, step;
    for (const size of [13, 12, 10, 0]) {
      named = named.filter(() => size);  // where not one has room, nor is there any for them
      text = written(named.map(({ name }) => name), size, Math.max(90, 0.42 * width));
      left = outside + text.wide + 2 * GAP;
      step = Math.max(isNamed ? LEAST : 0.1, Math.min(Math.max(LARGEST, FEW / k), (width - left - MARGIN) / k));
      if (isNamed ? step >= 1.25 * size || size === 10 : named.some((one) => hasRoom(one, step, size))) break;
    }
    const level = isNamed && text.wide <= step - 8;
    const top = outside + (level ? 1.5 * text.size : text.wide) + GAP;
    return { step, side: step * k, left, top, outside, named, text, level };
  }
  const hasRoom = ({ start, stop }, step, size) => (stop - start) * step >= size;

  // The names of one side; one that has no room is left out.
  function names({ named, text, step }, placed) {
    return named.map((one, at) => {
      const { name, start, stop, zoom } = one;
      if (!hasRoom(one, step, text.size)) return null;
      const element = svg("text", { class: "name", "font-size": text.size, ...placed((start + stop) / 2 * step) }, text.texts[at]);
      Object.assign(element.dataset, zoom);
      if (name !== text.texts[at]) element.append(svg("title", {}, name));
      return element;
    });
  }
  const isText = (element) => element !== null;
  const turned = (x, y) => ({ transform: `translate(${x} ${y}) rotate(-90)` });
  const axis = (text, placed) =>
    svg("text", { class: "axis", "font-size": 12, "text-anchor": "middle", ...placed }, text);
  function brackets(stretches, { step, outside }, placed) {
    return (outside === AXIS ? [] : stretches).flatMap(({ name, start, stop }) => {
      const [from, to] = [start * step + 2, stop * step - 2];
      const line = svg("path", { class: "bracket", d: placed.line(from, to) }, svg("title", {}, name));
      const label = svg("text", { class: "superclass", "font-size": 12, "text-anchor": "middle",
        ...placed.label((from + to) / 2) }, name);
      return widths([name], 12)[0] <= to - from ? [line, label] : [line];
    });
  }
  function rows(stretches, spot) {
    const { left, side, outside } = spot;
    const found = names(spot, (y) => ({ x: left - GAP, y, "text-anchor": "end", "dominant-baseline": "central" }));
    by("rows").replaceChildren(svg("svg", { width: left - FRAME, height: side },
      axis("true class", turned(13, side / 2)),
      ...brackets(stretches, spot, {
        line: (from, to) => `M${outside - 2} ${from}h-4V${to}h4`,
        label: (middle) => turned(outside - 11, middle),
      }), ...found.filter(isText)));
    return found;
  }
  function columns(stretches, spot) {
    const { top, side, outside, level } = spot;
    const found = names(spot, (x) => (level ? { x, y: top - GAP, "text-anchor": "middle" }
      : { ...turned(x, top - GAP), "dominant-baseline": "central" }));
    by("columns").replaceChildren(svg("svg", { width: side + MARGIN, height: top },
      axis("predicted class", { x: side / 2, y: 13 }),
      ...brackets(stretches, spot, {
        line: (from, to) => `M${from} ${outside - 2}v-4H${to}v4`,
        label: (x) => ({ x, y: outside - 11 }),
      }), ...found.filter(isText)));
    return found;
  }

  // Lay out and write it all; `mark` makes the names of a row and a column stand out.
  function label(order, stretches, width) {
    const spot = layout(order, stretches, width);
    const left = rows(stretches, spot), top = columns(stretches, spot);
    // What stays in sight while the cells scroll: the names.
    by("corner").style.width = `${spot.left - FRAME}px`;
    for (const id of ["rows", "corner"]) by(id).style.left = `${-spot.outside}px`;
    let marked = [];
    const mark = (down, across) => {
      const nameAt = (found, place) => found[spot.named.findIndex(({ start, stop }) => start <= place && place < stop)];
      for (const name of marked) name.classList.remove("on");
      marked = [nameAt(left, down), nameAt(top, across)].filter(Boolean);
      for (const name of marked) name.classList.add("on");
    };
    return { ...spot, mark };
  }
  Object.assign(page.matrix, { label, NAMED });
})();
