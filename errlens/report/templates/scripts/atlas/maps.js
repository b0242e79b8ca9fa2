// The maps: cells by their numbers, what each adds to each class, their pictures.
(() => {
  const { data, read } = page;
  const pictures = read("pictures").uris, nClasses = data.names.length;
  const asUri = (tile) => (tile ? `data:image/webp;base64,${tile}` : null);

  // Whole numbers of 16 bits, little end first, as text.
  function unpacked(text) {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const view = new DataView(bytes.buffer);
    return Int16Array.from({ length: bytes.length / 2 }, (_, at) => view.getInt16(2 * at, true));
  }
  function mapOf(told, number) {
    const { patches, icons, sources } = pictures[number];
    const n = told.row.length, [top, left] = [Math.min(...told.row), Math.min(...told.column)];
    let steps = null;
    return {
      ...told, number, n,
      row: told.row.map((row) => row - top),
      column: told.column.map((column) => column - left),
      rows: 1 + Math.max(...told.row) - top,
      columns: 1 + Math.max(...told.column) - left,
      first: { row: top, column: left },
      mostPoints: Math.max(...told.points),
      leastPoints: Math.min(...told.points),
      hasBoth: patches.length > 0 && icons.length > 0,
      icon: (cell, kind) => asUri(kind === "optimised" && icons.length ? icons[cell] : patches[cell] ?? icons[cell]),
      attribution(cell, of) {
        steps ??= unpacked(told.attribution);
        return steps[cell * nClasses + of] * told.step[cell];
      },
      sourcesOf: (cell) => told.sources.cell.flatMap((of, at) => (of === cell ? [{
        row: told.sources.row[at], down: told.sources.down[at], across: told.sources.across[at],
        similarity: told.sources.similarity[at], picture: asUri(sources[at]),
      }] : [])),
      suspectOf: (cell) => told.suspects.find((suspect) => suspect.cell === cell),
      pastedOf: (cell) => told.pasted[cell] ?? [],
    };
  }
  const maps = data.maps.map(mapOf);
  const layers = [...new Set(maps.map((map) => map.layer))];
  Object.assign(page, { maps, layers, names: data.names, mapsOf: (layer) => maps.filter((map) => map.layer === layer) });
})();
