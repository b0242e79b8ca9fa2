// Files of marks: made here for errlens, for training and for labelling tools; marks.json is read, too.
(() => {
  const { data, make, marks, printable, texts } = page;
  const { WRONG_LABEL } = marks, given = data.marks;

  // ---- what a file says of an image besides its mark: names as they are, not as they are shown ----
  const byShown = new Map(given.classes.map((name) => [printable(name), name]));
  const asItIs = (shown) => (shown === null ? null : byShown.get(shown) ?? shown);
  function confidenceOf(row, facts) {
    const images = data.images, place = images?.rows ? images.rows.indexOf(row) : row;
    return images?.confidence?.[place] ?? facts.top?.[0]?.[2] ?? null;
  }
  async function imageOf(row) {
    const facts = await page.store.facts(row);
    const { path = null, label_name: label = null, pred_name: pred = null } = facts;  // a page may not know all images
    return {
      row, sample_id: path, path, label_name: asItIs(label), ...given.odd[row],
      pred_name: asItIs(pred), confidence: confidenceOf(row, facts), ...marks.of(row),
    };
  }
  const isNamed = (image) => image.path !== null;
  const marked = () => Promise.all(marks.rows().map(imageOf));

  // ---- the files ----
  const LABEL_COLUMNS = ["row", "sample_id", "path", "label_name", "label", "verdict", "remark"];
  // Where the name of an image is not known its row says which one is meant: then that of all of them does.
  // An empty label would be a class of its own for whoever trains with it.
  function labelsCsv(images) {
    const right = images.filter((image) => image.verdict === WRONG_LABEL && image.label !== null), named = right.every(isNamed);
    const columns = LABEL_COLUMNS.filter((name) => named || !["sample_id", "path"].includes(name));
    return texts.csv(columns, right.map((image) => columns.map((name) => image[name])));
  }
  function notesYaml(images) {
    const block = ({ row, verdict, label, remark }) => {
      const lines = Object.entries({ verdict, label, observation: remark }).filter(([, text]) => text);
      return [`${texts.yaml(`row:${row}`)}:`, ...lines.map(([key, text]) => `  ${key}: ${texts.yaml(text)}`)];
    };
    return images.flatMap(block).map((line) => `${line}\n`).join("");
  }
  const marksJson = (images) => texts.json({
    schema_version: 1,
    run_hash: given.run_hash,
    marks: images.map(({ row, sample_id, path, label_name, verdict, label, remark }) =>
      ({ row, sample_id, path, label_name, verdict, label, remark })),
  });
  // As errlens/analysis/findings/causes/labels/exports.py writes labels in doubt; a test compares them.
  const choice = ({ row, label }) => ({
    model_version: "errlens",
    result: [{ id: `row${row}`, type: "choices", from_name: "label", to_name: "image", value: { choices: [label] } }],
  });
  const labelStudio = (images) => texts.json(images.filter(isNamed).map((image) => ({
    data: {
      image: `/data/local-files/?d=${texts.address(image.path)}`,
      row: image.row, sample_id: image.sample_id, label_name: image.label_name, list: image.verdict, evidence: image.remark,
    },
    predictions: image.label === null ? [] : [choice(image)],
  })));
  const classified = (label, further) => (label === null ? null : { _cls: "Classification", label, ...further });
  const inRoot = (path) => `${given.root.replace(/\/$/, "")}/${path}`;
  const fiftyOne = (images) => texts.json({
    samples: images.filter(isNamed).map((image) => ({
      filepath: inRoot(image.path),
      tags: [image.verdict],
      row: image.row,
      errlens_id: image.sample_id,
      evidence: image.remark,
      ground_truth: classified(image.label_name),
      prediction: classified(image.pred_name, { confidence: image.confidence }),
      mended: classified(image.label),
    })),
  });
  const files = {
    "labels.csv": { kind: "text/csv", write: labelsCsv },
    "notes.yaml": { kind: "application/yaml", write: notesYaml },
    "marks.json": { kind: "application/json", write: marksJson },
    "label_studio.json": { kind: "application/json", write: labelStudio },
    "samples.json": { kind: "application/json", write: fiftyOne },
  };
  async function save(name) {
    const { kind, write } = files[name];
    const url = URL.createObjectURL(new Blob([write(await marked())], { type: `${kind};charset=utf-8` }));
    make("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);  // some browsers begin late
  }

  // ---- marks.json, read: of this run by row, of another one by image ----
  const MOST_BYTES = 64 * 2 ** 20;
  class Unread extends Error {}
  async function read(file) {
    if (file.size > MOST_BYTES) throw new Unread(`${file.name} has more than 64 MiB.`);
    let tree;
    try { tree = JSON.parse((await file.text()).replace(/^\ufeff/, "")); } catch {
      throw new Unread(`${file.name} is no JSON. What is read here is a marks.json; errlens report --marks reads labels.csv and notes.yaml, too.`);
    }
    if (!Array.isArray(tree?.marks)) throw new Unread(`${file.name} is no marks.json: it has no list called marks.`);
    const rowOf = tree.run_hash === given.run_hash ? (said) => said.row : rowsById();
    return new Map(tree.marks.map((said, at) => checked(said, at, file.name, rowOf)));
  }
  function checked(said, at, name, rowOf) {
    const row = rowOf(said ?? {}), mark = marks.asMark(said);
    if (!Number.isInteger(row) || row < 0 || row >= given.n) throw new Unread(`${name}: mark ${at + 1} is about an image that this run does not have.`);
    if (!mark) throw new Unread(`${name}: mark ${at + 1} has no verdict of ${marks.VERDICTS.join(", ")}.`);
    if ((said.label ?? null) !== mark.label) throw new Unread(`${name}: mark ${at + 1}: ${printable(String(said.label))} is no class of this run.`);
    return [row, mark];
  }
  function rowsById() {
    const rows = new Map();
    (data.images?.path ?? []).forEach((path, place) => {
      const row = data.images.rows ? data.images.rows[place] : place;
      rows.set(given.odd[row]?.sample_id ?? path, row);
    });
    return ({ sample_id: id }) => rows.get(id);
  }
  Object.assign(marks, { files, marked, save, read, Unread });
})();
