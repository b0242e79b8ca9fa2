// The matrix on its canvas: the colours of the cells, and the lines and numbers on them.
(() => {
  const { data, count } = page;
  const matrix = data.matrix;
  if (!matrix) return;
  const { cellShare } = page.matrix;
  const STOPS = 7, RIGHT = 1, FEWEST = 2, LEVELS = 256;  // levels: 0 empty, then right, then errors
  const DASHES = { mutual: [], likely: [4, 3], "one way": [2, 2] };

  function colours(scheme) {
    const stops = Array.from({ length: STOPS }, (_, at) => `cell-${at + 1}`);
    const found = page.colours(["ink", "soft", "line", "sheet", "diagonal", "marked", ...stops], scheme);
    return { ...found, stops: stops.map((name) => rgb(found[name])) };
  }
  const rgb = (text) => text.match(/[\d.]+/g).slice(0, 3).map(Number);
  const mixed = (a, b, share) => a.map((low, i) => low + share * (b[i] - low));

  // The colour of each level, and after them those that are faded.
  function palette(colour) {
    const sheet = rgb(colour.sheet);
    const level = (at) => {
      if (at === 0) return sheet;
      if (at === RIGHT) return rgb(colour.diagonal);
      const x = (at - FEWEST) / (LEVELS - 1 - FEWEST) * (STOPS - 1), stop = Math.min(STOPS - 2, Math.floor(x));
      return mixed(colour.stops[stop], colour.stops[stop + 1], x - stop);
    };
    const levels = Array.from({ length: LEVELS }, (_, at) => level(at));
    return [...levels, ...levels.map((one) => mixed(one, sheet, 0.72))];
  }
  // Where a value stands on the scale, 0 to 1: one error is still a colour where there are hundreds.
  const POWER = 0.65;
  const onScale = (value, most) => (most ? Math.min(1, value / most) ** POWER : 0);
  const levelOf = (value, most) => FEWEST + Math.round(onScale(value, most) * (LEVELS - 1 - FEWEST));

  // What a cell holds: images, or their share of the true class.
  const valueOf = (view, t, n) => (view.rates ? n / matrix.n[t] : n);
  const textOf = (view, value) => (view.rates ? cellShare(value) : count(value));
  function largest(view) {
    let most = 0;
    for (const at of view.ats) most = Math.max(most, valueOf(view, matrix.cells[3 * at], matrix.cells[3 * at + 2]));
    return most;
  }

  // All that is drawn, as [row, column, value, level]: right ones first, so that errors cover them.
  function* drawn(view) {
    const { place, of, most } = view;
    const faded = (t, p) => (of && !of.has(t) && !of.has(p) ? LEVELS : 0);
    for (const index of view.order) {
      if (!matrix.n[index]) continue;
      const value = valueOf(view, index, matrix.right[index]);
      yield [place[index], place[index], value, RIGHT + faded(index, index)];
    }
    for (const at of view.ats) {
      const [t, p] = [matrix.cells[3 * at], matrix.cells[3 * at + 1]];
      const value = valueOf(view, t, matrix.cells[3 * at + 2]);
      yield [place[t], place[p], value, levelOf(value, most) + faded(t, p)];
    }
  }

  // Pixel by pixel: two hundred thousand cells are as quick as two hundred.
  function paint(pen, view, size, tones) {
    const k = view.order.length, levels = new Uint16Array(size * size);
    const least = Math.max(1, Math.round(size / k), Math.ceil(1.6 * size / view.side));
    const edge = (at) => Math.round(at * size / k);
    for (const [down, across, , level] of drawn(view)) {
      const left = edge(across), right = Math.min(size, Math.max(edge(across + 1), left + least));
      const bottom = Math.min(size, Math.max(edge(down + 1), edge(down) + least));
      for (let y = edge(down); y < bottom; y++) {
        for (let at = y * size + left; at < y * size + right; at++) {
          if (levels[at] < level) levels[at] = level;  // the most frequent ones on top
        }
      }
    }
    const picture = pen.createImageData(size, size), pixels = new Uint32Array(picture.data.buffer);
    const packed = tones.map(([r, g, b]) => (255 << 24 | Math.round(b) << 16 | Math.round(g) << 8 | Math.round(r)) >>> 0);
    for (let at = 0; at < pixels.length; at++) pixels[at] = packed[levels[at]];
    pen.putImageData(picture, 0, 0);
  }

  function lines(pen, view, colour) {
    const { step, side, order } = view, k = order.length;
    const line = (at, shade, alpha) => {
      pen.fillStyle = shade;
      pen.globalAlpha = alpha;
      pen.fillRect(Math.round(at * step) - 0.5, 0, 1, side);
      pen.fillRect(0, Math.round(at * step) - 0.5, side, 1);
      pen.globalAlpha = 1;
    };
    if (step >= 6) for (let at = 1; at < k; at++) line(at, colour.line, 0.75);
    const edges = new Set(view.stretches.flatMap(({ start, stop }) => [start, stop]));
    for (const at of edges) if (at > 0 && at < k) line(at, colour.ink, edges.size > 9 ? 0.3 : 0.8);
    pen.strokeStyle = colour.soft;
    pen.lineWidth = 1;
    pen.strokeRect(0.5, 0.5, side - 1, side - 1);
  }
  // A class without images has no row: that nothing is there says nothing.
  function hatch(pen, view, colour) {
    const { step, side } = view;
    pen.strokeStyle = colour.line;
    view.order.forEach((index, at) => {
      if (matrix.n[index] || step < 4) return;
      pen.save();
      pen.beginPath();
      pen.rect(0, at * step, side, step);
      pen.clip();
      pen.beginPath();
      for (let x = -step; x < side; x += 6) {
        pen.moveTo(x, (at + 1) * step);
        pen.lineTo(x + step, at * step);
      }
      pen.stroke();
      pen.restore();
    });
  }
  // Dark or light, whichever stands out more (WCAG, relative luminance).
  const linear = (part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4);
  const ink = ([r, g, b]) =>
    (0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b) > 0.2 ? "#1a1a1a" : "#ffffff");
  function numbers(pen, view, tones) {
    const { step } = view;
    if (step < 11) return;
    const { fontFamily } = getComputedStyle(document.body);
    pen.font = `${Math.max(8, Math.min(14, step * 0.42))}px ${fontFamily}`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    for (const [down, across, value, level] of drawn(view)) {
      const text = value ? textOf(view, value) : "";
      if (!text || pen.measureText(text).width > step - 2) continue;
      pen.fillStyle = ink(tones[level]);
      pen.fillText(text, (across + 0.5) * step, (down + 0.54) * step);
    }
  }
  // What there is evidence of: outlined inside of its cell, as in matrix.png.
  function marks(pen, view, colour) {
    const { step, place, of } = view;
    const thick = step < 18 ? 1 : 2, inset = step < 18 ? 0.5 : 2;  // never through a number
    const outline = (corner, shade, width, dash) => {
      pen.strokeStyle = shade;
      pen.lineWidth = width;
      pen.setLineDash(dash);
      pen.strokeRect(...corner, step - 2 * inset, step - 2 * inset);
    };
    for (const [kind, t, p] of step < 4 ? [] : matrix.marks) {
      if (place[t] < 0 || place[p] < 0 || (of && !of.has(t) && !of.has(p))) continue;
      const corner = [place[p] * step + inset, place[t] * step + inset];
      outline(corner, colour.sheet, thick + 1.5, []);  // so that it is seen on any colour
      outline(corner, colour.marked, thick, DASHES[kind]);
    }
    pen.setLineDash([]);
  }

  function draw(canvas, view, scheme) {
    const scale = devicePixelRatio || 1, size = Math.max(1, Math.round(view.side * scale));
    canvas.width = canvas.height = size;
    canvas.style.width = canvas.style.height = `${view.side}px`;
    const pen = canvas.getContext("2d"), colour = colours(scheme), tones = palette(colour);
    paint(pen, view, size, tones);
    pen.setTransform(size / view.side, 0, 0, size / view.side, 0, 0);
    hatch(pen, view, colour);
    lines(pen, view, colour);
    numbers(pen, view, tones);
    marks(pen, view, colour);
  }
  Object.assign(page.matrix, { draw, largest, onScale, textOf });
})();
