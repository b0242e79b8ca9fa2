"""The section "Inside the network": what `errlens network` and `errlens atlas` left in a run.

A further kind of results is a file beside this one with a function `tell`, and a line in `KINDS`.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Final, NamedTuple

from errlens.errors import NoResults
from errlens.escapes import shell_line
from errlens.report.parts import Problem
from errlens.report.sections.network import (
    activations,
    atlas,
    channels,
    correspondence,
    embed,
    evolution,
    features,
    filters,
    invariance,
    layers,
    occlusion,
    probe,
    severity,
)
from errlens.report.sections.network.results import Results
from errlens.report.sections.network.scatter import Scatter
from errlens.report.sections.network.told import Block, Told
from errlens.report.shots import Shots
from errlens.report.sources import Sources

TITLE: Final = "Inside the network"
FOLDER: Final = "network"


class Kind(NamedTuple):
    """A kind of results: its title, where they lie, what makes them, and what is told of them.

    `folder` is below RUN, and `main` a file there that is always written. `command` are the words
    before the run, `options` those after it.
    """

    title: str
    folder: str
    main: str
    command: str
    options: Sequence[str]
    tell: Callable[[Results], Told]


# In the order of the page, what says most of errors first.
KINDS: Final = {
    "channels": Kind(
        "What tells two classes apart", "network/channels", channels.MAIN,
        "network features", ("--discriminate", "A~B"), channels.tell,
    ),
    "embed": Kind(
        "What lies next to errors", "network/embed", embed.MAIN, "network embed", (), embed.tell,
    ),
    "features": Kind(
        "What channels answer to", "network/features", features.MAIN,
        "network features", (), features.tell,
    ),
    "evolution": Kind(
        "How it came to this over its training", "network/evolution", evolution.MAIN,
        "network evolution", ("--checkpoints", "GLOB"), evolution.tell,
    ),
    "invariance": Kind(
        "What transforms of photos do", "network/invariance", invariance.MAIN,
        "network invariance", (), invariance.tell,
    ),
    "occlusion": Kind(
        "What falls while a part is hidden", "network/occlusion", occlusion.MAIN,
        "network occlusion", (), occlusion.tell,
    ),
    "severity": Kind(
        "What corruptions of photos cost", "network/severity", severity.MAIN,
        "network invariance", ("--severity", "all"), severity.tell,
    ),
    "correspondence": Kind(
        "Which parts it has an idea of", "network/correspondence", correspondence.MAIN,
        "network correspondence", ("--parts", "FILE"), correspondence.tell,
    ),
    "activations": Kind(
        "What channels respond to in a photo", "network/activations", "made_from.json",
        "network activations", (), activations.tell,
    ),
    "probe": Kind(
        "What layers tell of the classes", "network/probe", probe.MAIN,
        "network probe", ("--layers", "all"), probe.tell,
    ),
    "filters": Kind(
        "Filters", "network/filters", filters.MAIN, "network filters", (), filters.tell,
    ),
    "layers": Kind(
        "Layers", "network", "layers.csv", "network layers", (), layers.tell,
    ),
}  # fmt: skip


class Inside(NamedTuple):
    """What is known of the inside of the network: titles and what is told, by the kind's name.

    `problems` are why other results cannot be shown, by the title of their kind.
    """

    told: dict[str, tuple[str, Told]]
    problems: Sequence[tuple[str, Problem]]

    @property
    def scatter(self) -> Scatter | None:
        """The map that the page draws itself, if it has one."""
        return next((block.scatter for block in self._blocks if block.scatter), None)

    @property
    def staying(self) -> set[str]:
        """The names of the pictures that are there also without JavaScript."""
        return {
            picture.name for block in self._blocks for picture in block.pictures if picture.stays
        }

    @property
    def _blocks(self) -> Iterator[Block]:
        return chain.from_iterable(told.blocks for _, told in self.told.values())

    def of_finding(self, kind: str) -> tuple[str, str] | None:
        """Return name and title of the results that findings of a kind rest on, if told."""
        return next(
            ((name, title) for name, (title, told) in self.told.items() if told.finding == kind),
            None,
        )


def inside_the_network(sources: Sources, shots: Shots) -> Inside:
    """Read what there is, and ask for its pictures and images."""
    told: dict[str, tuple[str, Told]] = {}
    mapped, unread = atlas.tell(shots, linked=not sources.served)
    if mapped:
        told["atlas"] = (atlas.TITLE, mapped)
    problems = [(f"{TITLE}: {atlas.TITLE.lower()}", problem) for problem in unread]
    for name, kind in KINDS.items():
        results = Results(
            folder=sources.run.results_folder(kind.folder),
            main=kind.main,
            command=_command(sources, kind),
            shots=shots,
        )
        if not results.are_there:
            continue
        try:
            told[name] = (kind.title, kind.tell(results))
        except NoResults as error:
            problems.append((f"{TITLE}: {kind.title.lower()}", Problem(str(error), error.command)))
    # A run without a model can have no such results, whatever lies there.
    return Inside(told, [] if sources.run.info.imported else problems)


def _command(sources: Sources, kind: Kind) -> str:
    """Return what makes results of a kind again."""
    return shell_line(["errlens", *kind.command.split(), sources.run.path, *kind.options])
