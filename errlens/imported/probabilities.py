"""Which columns of a table hold the probability of a class, or its raw output."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

from errlens.classes.names import ClassNames
from errlens.classes.spelling import as_number
from errlens.errors import BadPredictions, UnfitOption, some, which_of

LOGIT: Final = "logit_"  # stands before a class where a column holds its raw output
PREFIXES: Final = ("prob_", "p_", LOGIT, "")  # what may stand before the name of a class


class ClassColumns(NamedTuple):
    """The column of each class, in output order, and what stands before the class in its name.

    With a single column, of one of two classes, the other class has none.
    """

    by_class: dict[str, str]
    prefix: str = ""

    @property
    def are_logits(self) -> bool:
        """Whether the columns are called raw outputs."""
        return self.prefix.casefold() == LOGIT


def probability_columns(
    columns: Sequence[str],
    *,
    reserved: Collection[str],
    named: Collection[str],
    given: ClassNames | None = None,
    prefix: str | None = None,
    needed: bool = False,
) -> ClassColumns:
    """Return the column of each class, or nothing if there are none.

    Of two classes one may do. Where a class has its probability and its raw output, the former
    counts. Classes are in the order of `given`, else in that of the columns.

    Args:
        columns: All columns of the table.
        reserved: Columns that hold something else.
        named: The labels and predicted classes of the table.
        given: The classes, where they are known.
        prefix: What stands before the name of a class; by default one of `PREFIXES`.
        needed: The table says nothing else about predictions: take columns with a prefix also
            where no class that is named has one.

    Raises:
        BadPredictions: There are two such sets of columns, or a class has none.
        UnfitOption: No column has the prefix that was given.
    """
    free = dict.fromkeys(name for name in columns if name not in reserved)
    families = _families(free, PREFIXES, named, given) if prefix is None else {}
    if not families and (needed or prefix is not None):
        tried = [name for name in PREFIXES if name] if prefix is None else [prefix]
        families = _families(free, tried, named, given, trusted=True)
    if len(families) > 1:
        families.pop(LOGIT, None)
    if len(families) > 1:
        first, second = (next(iter(family.values())) for family in list(families.values())[:2])
        raise BadPredictions(
            f"two sets of columns could be the probabilities: those like {first!r} and those "
            f"like {second!r}",
            hint=f"choose one with --prob-prefix: {' or '.join(map(repr, families))}",
        )
    if not families and prefix is not None:
        raise UnfitOption(f"--prob-prefix {prefix!r}: no class has a column called like this")
    for before, family in families.items():
        _refuse_taken(
            family, before, reserved=reserved, wanted=given.names if given else sorted(named)
        )
        alike = [name for name in free if name.casefold().startswith(before.casefold())]
        if not (before and len(alike) == 1 and given and len(given) == 2):
            _refuse_missing(family, given)
        return ClassColumns(family, before)
    return ClassColumns({})


def columns_by_class(texts: Sequence[str]) -> dict[str, str]:
    """Return the column of each class, as `--prob-column` names them.

    >>> columns_by_class(["score=dog", "1=cat"])
    {'dog': 'score', 'cat': '1'}
    """
    found: dict[str, str] = {}
    for text in texts:
        column, _, name = text.rpartition("=")
        if not (column and name):
            raise UnfitOption(f"--prob-column {text!r} is not of the form NAME=CLASS")
        if name in found:
            raise UnfitOption(f"--prob-column names two columns for the class {name!r}")
        found[name] = column
    return found


def named_columns(
    wanted: Mapping[str, str],
    columns: Sequence[str],
    *,
    reserved: Collection[str],
    named: Collection[str],
    given: ClassNames | None = None,
) -> ClassColumns:
    """Return the columns of classes that the user names one by one.

    Args:
        wanted: The column of each class.
        columns: All columns of the table.
        reserved: Columns that hold something else.
        named: The labels and predicted classes of the table.
        given: The classes, where they are known.

    Raises:
        UnfitOption: There is no such column or no such class, or it holds something else.
        BadPredictions: One of the classes that were given has no column.
    """
    classes = given or ClassNames(tuple(sorted(named)))
    for name, column in wanted.items():
        option = f"--prob-column {column}={name}"
        if column not in columns:
            raise UnfitOption(
                f"{option}: the table has no column {column!r}", hint=which_of(column, columns)
            )
        if column in reserved:
            raise UnfitOption(f"{option}: this column holds something else")
        if (given or len(named) > 1) and classes.index(name) is None:
            raise UnfitOption(
                f"{option}: no class is called {name!r}", hint=which_of(name, classes.names)
            )
    family = {**wanted}
    if given:  # as these are spelt, in their order
        by_index = {given.index(name): column for name, column in wanted.items()}
        family = {
            name: by_index[index] for index, name in enumerate(given.names) if index in by_index
        }
    if not (len(family) == 1 and given and len(given) == 2):
        _refuse_missing(family, given)
    return ClassColumns(family)


def likely_prefix(columns: Collection[str], named: Collection[str]) -> str | None:
    """Return what stands before two classes at least, and most, in names of columns, if anything.

    >>> likely_prefix(["size", "score_cat", "score_dog"], ["cat", "dog"])
    'score_'
    """
    times = Counter(
        column[: len(column) - len(name)]
        for column in columns
        for name in named
        if column.casefold().endswith(name.casefold()) and len(column) > len(name)
    )
    prefix, most = max(times.items(), key=lambda entry: entry[1], default=("", 0))
    return prefix if most > 1 else None


def _families(
    free: Collection[str],
    prefixes: Collection[str],
    named: Collection[str],
    given: ClassNames | None,
    *,
    trusted: bool = False,
) -> dict[str, dict[str, str]]:
    """Return the columns of the classes by prefix, where there are any."""
    families = {prefix: _family(free, prefix, named, given, trusted=trusted) for prefix in prefixes}
    return {prefix: family for prefix, family in families.items() if family}


def _family(
    free: Collection[str],
    prefix: str,
    named: Collection[str],
    given: ClassNames | None,
    *,
    trusted: bool,
) -> dict[str, str]:
    """Return the columns called PREFIX plus a class, unless they could be a coincidence."""
    start = len(prefix)
    ends = {
        name[start:]: name
        for name in free
        if name[:start].casefold() == prefix.casefold() and name[start:]
    }
    if not ends:
        return {}
    columns = ClassNames(tuple(ends))
    if given:
        places = {name: columns.index(name) for name in given.names}
        times = Counter(places.values())
        family = {
            name: ends[columns[at]]
            for name, at in places.items()
            if at is not None and (times[at] == 1 or columns[at] == name)
        }
        return family if trusted or prefix or len(family) >= min(2, len(given)) else {}
    if not prefix:
        meant = {at for name in named if (at := columns.index(name)) is not None}
        family = {columns[at]: ends[columns[at]] for at in sorted(meant)}
        return family if trusted or len(family) >= min(2, len(named)) else {}
    numbered = prefix in ("prob_", LOGIT) and all(as_number(name) is not None for name in named)
    is_known = trusted or numbered or any(columns.meant(name) for name in named)
    return ends if is_known else {}


def _refuse_taken(
    family: dict[str, str], prefix: str, *, reserved: Collection[str], wanted: Sequence[str]
) -> None:
    """Raise an error where the column that a class needs holds something else."""
    for name in wanted:
        if name not in family and prefix + name in reserved:
            raise BadPredictions(
                f"the column {prefix + name!r} cannot hold the probabilities of the class "
                f"{name!r}: it is taken for something else",
                hint="call the columns of probability prob_CLASS",
            )


def _refuse_missing(family: dict[str, str], given: ClassNames | None) -> None:
    """Raise an error where some of the classes that were given have no column."""
    missing = [name for name in given.names if name not in family] if given else []
    if missing:
        raise BadPredictions(
            f"no column of probability for {some(missing)}, but for {some(list(family))}",
            hint="name every column after its class; see --prob-prefix and --classes",
        )
