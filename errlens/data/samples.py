"""What there is to predict: a list of images with, where known, their labels."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Final

import pandas as pd

from errlens.classes.names import ClassNames
from errlens.data.folders import NOT_UTF8, is_picture, readable, scan_folder
from errlens.data.listed_paths import find_roots, placed
from errlens.data.manifests import MANIFEST_SUFFIXES, Columns, Manifest, read_manifest
from errlens.data.photos.picture_kinds import SUFFIXES
from errlens.data.stratified import stratified_rows
from errlens.errors import InputError, MissingInput, NoImages, some
from errlens.escapes import shell_line
from errlens.formats import counted
from errlens.run.places import SPLIT_NAMES, is_run

_MOST_ROOTS: Final = 3  # that are named where a manifest lies elsewhere than its files


@dataclass(frozen=True)
class Samples:
    """The inputs of an evaluation, in the order of their rows.

    `frame` has the columns `path` (relative to `root`, POSIX), `label_name` and `split` (None
    where unknown), `size_bytes` (None where there is no file) and `problem` (why a file cannot
    even be tried, else None). `class_folders` are the folder names that stand for classes, sorted,
    empty folders included. `listed` says that a manifest gave the labels. `skipped` counts files
    that are no pictures by suffix, and `misnamed` pictures whose names do not say so. `classes`
    are those of a data set that has an order of its own; `all_labels` are the labels of the data of
    which some images were kept. `remark` says how the paths of a manifest were read, where not as
    they are. `made` are the folders in which what errlens made was left out.
    """

    frame: pd.DataFrame
    root: Path
    class_folders: tuple[str, ...] = ()
    listed: bool = False
    extra: pd.DataFrame | None = None
    skipped: Mapping[str, int] = field(default_factory=dict)
    misnamed: Mapping[str, int] = field(default_factory=dict)
    classes: ClassNames | None = None
    remark: str = ""
    all_labels: tuple[str, ...] = ()
    made: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.frame.empty:
            raise NoImages(f"no image to predict in {str(self.root)!r}")

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def labels(self) -> list[str]:
        """The distinct labels of the data, sorted.

        Those of empty class folders are among them, and those of images that were not kept.
        """
        labels = set(self.frame["label_name"].dropna())
        return sorted(labels.union(self.class_folders, self.all_labels))

    @property
    def empty_classes(self) -> list[str]:
        """The class folders without an image."""
        return sorted(set(self.class_folders) - set(self.frame["label_name"].dropna()))


def find_samples(
    data: Path,
    *,
    root: Path | None = None,
    columns: Columns | None = None,
    split: str | None = None,
    limit: int | None = None,
    seed: int = 0,
) -> Samples:
    """List the images of a class folder, a manifest, a folder of photos or a single photo.

    Args:
        data: The folder or file.
        root: Where a manifest's relative paths start; by default the manifest's folder.
        columns: What a manifest calls its columns.
        split: Keep only the rows of this split of a manifest.
        limit: Keep at most this many images, each class in proportion.
        seed: Decides which images `limit` keeps.

    Raises:
        MissingInput: `data` does not exist, or is a pipe or a device.
        NoImages: There is nothing to predict.
        InputError: `data` is neither folder, manifest nor photo, or its folders are splits.
    """
    try:
        data.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise MissingInput(data, what="DATA") from None
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        raise InputError(f"DATA {str(data)!r} cannot be read: {error}") from error
    if data.is_dir():
        samples = _from_folder(data)
    elif data.suffix.lower() in MANIFEST_SUFFIXES:
        manifest = read_manifest(data, columns or Columns(), split=split)
        samples = listed_samples(manifest, root or data.parent, is_elsewhere=root is not None)
    elif is_picture(str(data)):
        name = readable(data.name)
        problem = None if name == data.name else NOT_UTF8
        frame = _frame([name], [None], [_size_of(data)], [problem])
        samples = Samples(frame, data.parent.absolute())
    elif not data.is_file():
        raise MissingInput(data, what="DATA")
    else:
        archive = data.suffix.lower() in (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar")
        raise InputError(
            f"DATA {str(data)!r} is neither a folder nor a photo nor a manifest"
            f" ({', '.join(MANIFEST_SUFFIXES)})",
            hint="unpack it, and pass the folder"
            if archive
            else "a manifest is a table with a column of paths and one of labels: save it as csv",
        )
    return samples if limit is None else stratified(samples, limit, seed)


def samples_of_files(
    files: Sequence[Path],
    labels: Iterable[str | None],
    *,
    root: Path,
    split: str | None = None,
    classes: ClassNames | None = None,
) -> Samples:
    """Return samples of files that are known one by one, with their labels."""
    paths = [_below(root, str(file)) for file in files]
    names = [readable(path) for path in paths]
    problems = [NOT_UTF8 if name != path else None for name, path in zip(names, paths, strict=True)]
    frame = _frame(names, labels, map(_size_of, files), problems)
    frame["split"] = split
    return Samples(frame, root, classes=classes)


def _from_folder(data: Path) -> Samples:
    scan = scan_folder(data)
    if not scan.paths and scan.made:
        raise _nothing_else(data, scan.made)
    top_folders = scan.top_folders
    holding = sorted({path.partition("/")[0] for path in scan.paths if "/" in path}) or top_folders
    if holding and {name.casefold() for name in holding} <= SPLIT_NAMES:
        raise InputError(
            f"the folders of {str(data)!r} are splits, not classes: {', '.join(holding)}",
            hint="pass one of them: " + " or ".join(str(data / name) for name in holding),
        )
    if not scan.paths:
        kinds = ", ".join(f"{count} {suffix}" for suffix, count in scan.skipped.items())
        raise NoImages(
            f"no images in {str(data)!r}" + (f", only {kinds}" if kinds else ""),
            hint=f"images end in {' '.join(SUFFIXES)}",
        )
    labels = [path.partition("/")[0] if "/" in path else None for path in scan.paths]
    # A folder with photos at its top and nothing below has no classes.
    folders = top_folders if any(labels) else ()
    return Samples(
        _frame(scan.paths, labels, scan.sizes, scan.problems),
        data.absolute(),
        class_folders=folders,
        skipped=scan.skipped,
        misnamed=scan.misnamed,
        made=scan.made,
    )


def _nothing_else(data: Path, made: Sequence[str]) -> InputError:
    """Return the error of a folder that holds nothing but what errlens made."""
    runs = [data / name for name in made if is_run(data / name)]
    if not runs:
        return InputError(
            f"DATA {str(data)!r} holds pictures that errlens made, and no photos",
            hint="pass the folder of the photos themselves",
        )
    is_one = made == (".",)
    what = "is a run of errlens" if is_one else f"holds runs of errlens ({some(made)})"
    return InputError(
        f"DATA {str(data)!r} {what}, {'no folder of' if is_one else 'and no'} photos",
        hint=f"{shell_line(['errlens', 'report', runs[0]])} shows what is known of the run; "
        "confusion, misclassified and explain take it as well",
    )


def listed_samples(manifest: Manifest, root: Path, *, is_elsewhere: bool = False) -> Samples:
    """Return the images a manifest lists, whether they exist or not; paths start at `root`.

    See `placed` for how they are read where none exists, and for `is_elsewhere`.
    """
    root = root.absolute()
    found = placed(manifest.frame["path"].tolist(), root, is_elsewhere=is_elsewhere)
    paths = [_below(root, path) for path in found.paths]
    sizes = [_size_of(root / path) for path in paths]
    frame = _frame(paths, manifest.frame["label"], sizes, [None] * len(paths))
    frame["split"] = manifest.frame["split"]
    return Samples(frame, root, listed=True, extra=manifest.extra, remark=found.remark)


def folders_of_folders(samples: Samples) -> list[str]:
    """Return the class folders, relative to the root, where each holds nothing but folders.

    The classes are one level deeper then, it seems. An only folder inside an only one is entered.
    """
    if samples.listed or not samples.class_folders:
        return []
    parts = [PurePosixPath(path).parts for path in samples.frame["path"]]
    depth = 0
    while min(map(len, parts)) >= depth + 3 and len({own[: depth + 1] for own in parts}) == 1:
        depth += 1
    if depth:
        return ["/".join(parts[0][:depth])]
    return sorted({own[0] for own in parts}) if min(map(len, parts)) >= 3 else []


def refuse_absent(samples: Samples, data: Path) -> None:
    """Refuse a manifest of which no file is there, with the folder where they are, if it is found.

    Args:
        samples: Those of the manifest, or of anything else.
        data: The manifest.

    Raises:
        NoImages: That is so.
    """
    if not samples.listed or samples.frame["size_bytes"].notna().any():
        return
    paths = samples.frame["path"].tolist()
    roots = find_roots(paths, data.parent.absolute(), most=_MOST_ROOTS)
    places = [shell_line([_from_here(root)]) for root in roots]
    hint = f"there are such files elsewhere: add --root {' or --root '.join(places)}"
    if not roots:
        hint = "say where their paths start: --root DIR"
    raise NoImages(
        f"none of the {counted(len(samples), 'file')} in the manifest {str(data)!r} exists; the "
        f"first "
        f"would be {str(samples.root / paths[0])!r}",
        hint=hint,
    )


def _from_here(path: Path) -> str:
    """Write a path as it can be typed here."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _frame(
    paths: Sequence[str],
    labels: Iterable[str | None],
    sizes: Iterable[int | None],
    problems: Iterable[str | None],
) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "path": pd.Series(paths, dtype="str"),
            "label_name": pd.Series(list(labels), dtype="object"),
            "size_bytes": pd.Series(list(sizes), dtype="Int64"),
            "problem": pd.Series(list(problems), dtype="object"),
        }
    )
    frame["split"] = None
    return frame


def _below(root: Path, path: str) -> str:
    """Return a path relative to the root where it lies below it."""
    try:
        return Path(path).relative_to(root).as_posix()
    except ValueError:
        return Path(path).as_posix()


def _size_of(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except (OSError, ValueError):  # ValueError: a null character in the name
        return None


def stratified(samples: Samples, limit: int, seed: int) -> Samples:
    """Keep `limit` samples, the same share of every class as near as whole images allow."""
    labels = samples.frame["label_name"].fillna("")
    kept = stratified_rows(labels.to_numpy(), limit, seed=seed)
    extra = samples.extra
    if extra is not None:
        extra = extra.iloc[kept].assign(row=range(len(kept))).reset_index(drop=True)
    frame = samples.frame.iloc[kept].reset_index(drop=True)
    return replace(samples, frame=frame, extra=extra, all_labels=tuple(samples.labels))
