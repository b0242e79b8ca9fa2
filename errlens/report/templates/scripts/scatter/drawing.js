// The map on its canvas: images, those that are filtered away faded, and above them what is pointed at.
(() => {
  const { scatter } = page;
  if (!scatter) return;
  const { all, n, x, y, colour, side, WRONG } = scatter;
  const HUES = 10, MANY = 200;
  const hueOf = (number) => (number < 0 ? "hue-rest" : `hue-${number % HUES}`);
  const hues = ["hue-rest", ...Array.from({ length: HUES }, (_, number) => `hue-${number}`)];
  // Dots are as large as there is room for. A ring is `near` to the image inside of it, or `far`.
  const far = 6, SMALLEST = 1.6, LARGEST = 4.5, WIDE = 700;
  let radius = LARGEST, near = 3;
  function measure({ wide }) {
    const size = Math.min(LARGEST, Math.max(SMALLEST, Math.sqrt(3_000 / n)));
    radius = size * Math.sqrt(Math.min(1, wide / WIDE));
    near = Math.min(3, radius);
  }

  function dot(pen, [left, top], size) {
    pen.moveTo(left + size, top);
    pen.arc(left, top, size, 0, 2 * Math.PI);
  }
  function cross(pen, [left, top], size) {
    pen.beginPath();
    pen.moveTo(left - size, top - size);
    pen.lineTo(left + size, top + size);
    pen.moveTo(left + size, top - size);
    pen.lineTo(left - size, top + size);
  }
  function images(pen, view, shade) {
    const { where, isShown } = view;
    const fill = (ats, name, alpha, size) => {
      pen.beginPath();
      for (const at of ats) dot(pen, where(at), size);
      pen.globalAlpha = alpha;
      pen.fillStyle = shade[name];
      pen.fill();
      pen.globalAlpha = 1;
    };
    const shown = all.filter(isShown);
    fill(all.filter((at) => !isShown(at)), "hue-rest", 0.5, 0.7 * radius);
    for (const name of hues) {
      fill(shown.filter((at) => side[at] !== WRONG && hueOf(colour[at]) === name), name, 0.65, radius);
    }
    // A cross with an edge, so that it is seen on dots of its own colour.
    const size = 1.25 * radius;
    pen.lineCap = "square";
    for (const at of shown) {
      if (side[at] !== WRONG) continue;
      for (const [name, width] of [["edge", radius + 1.6], [hueOf(colour[at]), radius]]) {
        cross(pen, where(at), size);
        pen.strokeStyle = shade[name];
        pen.lineWidth = width;
        pen.stroke();
      }
    }
  }
  // Around an image, as far from a cross as from a dot.
  function rings(pen, view, ats, shade, { away, width, alpha = 1 }) {
    pen.beginPath();
    for (const at of ats) dot(pen, view.where(at), (side[at] === WRONG ? 2.3 : 1) * radius + away);
    pen.strokeStyle = shade;
    pen.lineWidth = width;
    pen.globalAlpha = alpha;
    pen.stroke();
    pen.globalAlpha = 1;
  }
  function line(pen, view, shade) {
    pen.beginPath();
    for (const [across, down] of view.line) pen.lineTo(across * view.wide, down * view.high);
    pen.closePath();
    pen.globalAlpha = 0.15;
    pen.fillStyle = shade.accent;
    pen.fill();
    pen.globalAlpha = 1;
    pen.strokeStyle = shade.accent;
    pen.lineWidth = 1.5;
    pen.stroke();
  }

  // Images are drawn once, and again when they look otherwise; what is above them each time.
  const under = document.createElement("canvas");
  function sized(canvas, { wide, high }) {
    const scale = devicePixelRatio || 1;
    canvas.width = Math.round(wide * scale);
    canvas.height = Math.round(high * scale);
    const pen = canvas.getContext("2d");
    pen.setTransform(canvas.width / wide, 0, 0, canvas.height / high, 0, 0);
    return pen;
  }
  let shade = null;
  function drawImages(view) {
    shade = page.colours(["edge", "ink", "accent", "marked", "sheet", ...hues]);
    const pen = sized(under, view);
    measure(view);
    images(pen, view, shade);
    rings(pen, view, view.marked, shade.marked, { away: near, width: 2 });
  }
  function draw(canvas, view) {
    const pen = sized(canvas, view);
    pen.drawImage(under, 0, 0, view.wide, view.high);
    // Those of many would hide what they are around.
    rings(pen, view, view.chosen, shade.ink, {
      away: near, width: Math.min(1.5, radius / 2), alpha: view.chosen.size > MANY ? 0.35 : 1,
    });
    if (view.current !== null) {
      rings(pen, view, [view.current], shade.sheet, { away: far, width: 6 });
      rings(pen, view, [view.current], shade.accent, { away: far, width: 3 });
    }
    if (view.line) line(pen, view, shade);
  }
  Object.assign(scatter, { draw, drawImages, hueOf });
})();
