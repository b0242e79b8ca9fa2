// The images of a page that is served: found, told of and drawn by `errlens view`. It has the face
// of store.js, which is for a page that holds them.
(() => {
  const { data, make } = page;
  if (!data.remote) return;
  const { n, sorts, measured, findings } = data.remote;
  const MOST_KEPT = 5000, AT_ONCE = 200;  // images

  // ---- the server: a sentence on the page says so while it does not answer ----
  const notice = make("p", { class: "missing no-server", role: "alert", hidden: "" });
  document.querySelector(".frame").prepend(notice);
  function say(...sentence) {
    notice.replaceChildren(...sentence);
    notice.hidden = !sentence.length;
  }
  async function ask(name, fields = {}, options = {}) {
    const query = String(new URLSearchParams(fields));
    let answer;
    try {
      answer = await fetch(query ? `${name}?${query}` : name, { cache: "no-store", ...options });
    } catch {
      say("The program that serves this page has ended. ", make("code", {}, data.view),
        " starts it again, at another address.");
      throw new Error("the server is gone");
    }
    if (!answer.ok) throw new Error(await answer.text());
    say();
    return answer;
  }
  async function told(name, fields, otherwise) {
    try {
      return await (await ask(name, fields)).json();
    } catch (error) {
      if (notice.hidden) say(`The images cannot be shown: ${error.message}.`);
      return otherwise;
    }
  }

  // ---- views ----
  function fieldsOf(view, part) {
    const fields = [];
    for (const [name, value] of Object.entries({ ...view, ...part })) {
      for (const one of [value ?? []].flat()) if (one !== "") fields.push([name, String(one)]);
    }
    return fields;
  }
  const find = (view, { start = 0, most = 1000 } = {}) =>
    told("images", fieldsOf(view, { start, most: Math.min(most, 5000) }), { total: 0, rows: [] });

  // ---- single images: those asked for in one go are one request. Tiles say little of many, and
  // need not wait for what takes longest.
  const nothing = { top: [], near: [], heatmaps: [], measured: [], fed: null, findings: [] };
  function teller(brief) {
    const known = new Map();
    let waiting = null;
    async function send() {
      const { rows } = waiting, answers = {};
      waiting = null;
      for (let first = 0; first < rows.length; first += AT_ONCE) {
        const part = rows.slice(first, first + AT_ONCE).map((row) => ["row", row]);
        Object.assign(answers, await told("facts", [["brief", brief], ...part], {}));
      }
      return answers;
    }
    return (row) => {
      if (known.size > MOST_KEPT) known.clear();
      if (!known.has(row)) {
        waiting ??= { rows: [], answers: Promise.resolve().then(send) };
        waiting.rows.push(row);
        known.set(row, waiting.answers.then((answers) => {
          const { odd, ...said } = answers[row] ?? {};
          if (!answers[row]) known.delete(row);
          if (odd) data.marks.odd[row] = odd;  // names that files of marks need as they are
          return { ...nothing, ...said };
        }));
      }
      return known.get(row);
    };
  }
  const all = teller(false), short = teller(true);
  const facts = (row, { brief = false } = {}) => (brief ? short : all)(row);

  // ---- pictures ----
  function picture(name, large = false) {
    const isRow = /^\d+$/.test(name);
    const route = isRow ? (large ? "photo" : "thumbnail") : "explained";
    return { url: `${route}?${new URLSearchParams({ [isRow ? "row" : "file"]: name })}` };
  }
  // One that does not come leaves the sentence why in its place.
  document.addEventListener("error", async ({ target }) => {
    if (target.tagName !== "IMG" || target.src.startsWith("data:")) return;
    let why = "it cannot be shown";
    try { await ask(target.getAttribute("src")); } catch (error) { why = error.message; }
    target.replaceWith(make("span", { class: "gone" }, `no picture: ${why}`));
  }, true);
  async function map(row, method) {
    const content = await (await ask("map", { row, method })).blob();
    return new Promise((done, failed) => {
      const reader = new FileReader();
      reader.addEventListener("load", () => done(reader.result));
      reader.addEventListener("error", () => failed(reader.error));
      reader.readAsDataURL(content);
    });
  }

  // ---- marks: kept in the run folder, where other pages may have marked meanwhile ----
  const keeper = {
    where: "in the run folder",
    read: async () => (await ask("marks")).json(),
    write: async (changes) => (await ask("marks", {}, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ changes }),
    })).json(),
  };
  const store = { n, listed: n, names: data.names, measured, findings, sorts, find, facts, picture };
  Object.assign(page, { store, keeper, remote: { map } });
})();
