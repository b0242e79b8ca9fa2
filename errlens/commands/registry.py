"""The commands there are: the options of each, and where the function lies that takes them."""

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from importlib import import_module
from typing import Any, Final, NamedTuple, cast

from errlens.commands.analyze.options import AnalyzeOptions
from errlens.commands.atlas.class_.options import ClassOptions
from errlens.commands.atlas.collect.options import CollectOptions
from errlens.commands.atlas.compare.options import ComparePairOptions
from errlens.commands.atlas.paste.options import PasteOptions
from errlens.commands.atlas.render.options import RenderOptions
from errlens.commands.cache_key.options import CacheKeyOptions
from errlens.commands.check.options import CheckOptions
from errlens.commands.compare.options import CompareOptions
from errlens.commands.confusion.options import ConfusionOptions
from errlens.commands.diagnose.options import DiagnoseOptions
from errlens.commands.evaluate.options import EvaluateOptions
from errlens.commands.explain.options import ExplainOptions
from errlens.commands.import_.options import ImportOptions
from errlens.commands.misclassified.options import MisclassifiedOptions
from errlens.commands.network.activations.options import ActivationsOptions
from errlens.commands.network.correspondence.options import CorrespondenceOptions
from errlens.commands.network.embed.options import EmbedOptions
from errlens.commands.network.evolution.options import EvolutionOptions
from errlens.commands.network.features.options import FeaturesOptions
from errlens.commands.network.filters.options import FiltersOptions
from errlens.commands.network.invariance.options import InvarianceOptions
from errlens.commands.network.layers.options import LayersOptions
from errlens.commands.network.occlusion.options import OcclusionOptions
from errlens.commands.network.probe.options import ProbeOptions
from errlens.commands.report.options import ReportOptions
from errlens.commands.run.options import RunOptions
from errlens.commands.view.options import ViewOptions
from errlens.commands.what_if.options import WhatIfOptions
from errlens.streams import passing_line

_SLOW: Final = ("pandas", "scipy", "torch", "torchvision", "timm", "matplotlib")  # to import


class Command(NamedTuple):
    """A command by its options, whose docstring is its help, and by the name of its function.

    The function lies in `command.py` of the command's folder, which is imported when it runs: it
    may import torch, and the help of all commands must not wait for that.
    """

    options: type[Any]
    folder: str
    function: str

    def run(self, options: Any) -> Any:
        """Do what the options ask for."""
        return self.load(quiet=options.quiet)(options)

    def load(self, *, quiet: bool) -> Callable[..., Any]:
        """Return the function; where it needs torch, say what takes seconds to import."""
        name = f"errlens.commands.{self.folder.replace('/', '.')}.command"
        said = nullcontext() if quiet else passing_line(_what_is_loading)
        with said, nullcontext() if name in sys.modules else _all_in_use():
            module = import_module(name)
        return cast("Callable[..., Any]", getattr(module, self.function))


@contextmanager
def _all_in_use() -> Iterator[None]:
    """Search what is made in this block for garbage neither now nor later.

    Libraries are a million objects that stay in use to the end; looking through them again and
    again took a quarter of the time of a short command.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()


def _what_is_loading() -> str:
    begun = [name for name in list(sys.modules) if name in _SLOW]  # in the order of their imports
    return f"loading {begun[-1] if begun else 'libraries'} ..."


# Named as they are typed; a space makes a group.
COMMANDS: Final = {
    "analyze": Command(AnalyzeOptions, "analyze", "analyze"),
    "evaluate": Command(EvaluateOptions, "evaluate", "evaluate"),
    "import": Command(ImportOptions, "import_", "import_predictions"),
    "confusion": Command(ConfusionOptions, "confusion", "confusion"),
    "misclassified": Command(MisclassifiedOptions, "misclassified", "misclassified"),
    "diagnose": Command(DiagnoseOptions, "diagnose", "diagnose"),
    "explain": Command(ExplainOptions, "explain", "explain"),
    "compare": Command(CompareOptions, "compare", "compare"),
    "check": Command(CheckOptions, "check", "check"),
    "what-if": Command(WhatIfOptions, "what_if", "what_if"),
    "report": Command(ReportOptions, "report", "report"),
    "view": Command(ViewOptions, "view", "view"),
    "run": Command(RunOptions, "run", "run"),
    "cache-key": Command(CacheKeyOptions, "cache_key", "cache_key"),
    "network layers": Command(LayersOptions, "network/layers", "layers"),
    "network filters": Command(FiltersOptions, "network/filters", "filters"),
    "network activations": Command(ActivationsOptions, "network/activations", "activations"),
    "network features": Command(FeaturesOptions, "network/features", "features"),
    "network evolution": Command(EvolutionOptions, "network/evolution", "evolution"),
    "network embed": Command(EmbedOptions, "network/embed", "embed"),
    "network invariance": Command(InvarianceOptions, "network/invariance", "invariance"),
    "network correspondence": Command(
        CorrespondenceOptions, "network/correspondence", "correspondence"
    ),
    "network occlusion": Command(OcclusionOptions, "network/occlusion", "occlusion"),
    "network probe": Command(ProbeOptions, "network/probe", "probe"),
    "atlas collect": Command(CollectOptions, "atlas/collect", "collect"),
    "atlas render": Command(RenderOptions, "atlas/render", "render"),
    "atlas class": Command(ClassOptions, "atlas/class_", "class_atlas"),
    "atlas compare": Command(ComparePairOptions, "atlas/compare", "compare_classes"),
    "atlas paste": Command(PasteOptions, "atlas/paste", "paste"),
}

# How `errlens --help` lists commands and groups: in the order of work.
SECTIONS: Final = {
    "All in one": ("analyze", "run"),
    "Predictions": ("evaluate", "import"),
    "Errors": ("confusion", "misclassified", "diagnose", "explain", "what-if", "report", "view"),
    "Comparison and CI": ("compare", "check", "cache-key"),
    "Inside the network": ("network", "atlas"),
}
