"""Every layer of a network: what it puts out, sees and costs, and what can be asked of it."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import pandas as pd
import torch
from torch import Tensor, nn
from torch.autograd.graph import Node

from errlens.attribution.explained_model import ExplainedModel, borrowed
from errlens.attribution.operations.graph import nodes
from errlens.attribution.operations.rectifiers import rectified
from errlens.errors import NoSpatialLayer
from errlens.model.layers.hooks import is_scripted
from errlens.model.layers.places import SpatialLayer, spatial_layers
from errlens.network.receptive_field import Seen, receptive_fields
from errlens.network.tracing import Trace, traced
from errlens.run.csv_tables import NUMBER, TEXT, TRUTH, WHOLE, Columns

# The columns of layers.csv, in the order of the network.
COLUMNS: Final[Columns] = {
    "layer": TEXT,  # its name as --layer takes it
    "depth": WHOLE,  # how many layers it lies in
    "type": TEXT,
    "runs": WHOLE,  # how often, for one image
    "output": TEXT,  # shape of what it puts out last, without the axis of images
    "layout": TEXT,  # NCHW, NHWC or tokens, where it has a map of places
    "channels": NUMBER,
    "rows": NUMBER,
    "columns": NUMBER,
    "stride_rows": NUMBER,  # pixels of the input between neighbours
    "stride_columns": NUMBER,
    "field_rows": NUMBER,  # pixels of the input that a unit sees
    "field_columns": NUMBER,
    "offset_rows": NUMBER,  # where the field of the unit at 0, 0 begins
    "offset_columns": NUMBER,
    "field_whole": TRUTH,  # whether each unit sees all of the image
    "parameters": WHOLE,  # with those of the layers in it
    "multiply_adds": WHOLE,  # likewise, of one image
    "activation": TEXT,  # that it ends with, or the first that is given what it puts out last
    "analyses": TEXT,  # what can be asked of it
}

# Where nothing is known the cell is empty, and the others stay whole numbers.
_DTYPES: Final = {
    name: {TEXT: "str", TRUTH: "boolean", WHOLE: "int64", NUMBER: "Int64"}[kind]
    for name, kind in COLUMNS.items()
}


class Layers(NamedTuple):
    """The layers of a network as a table with the `COLUMNS`, and totals of all of them.

    `why_no_field` says what kept receptive fields from being known, `why_no_gradient` the gradients
    that some analyses need.
    """

    table: pd.DataFrame
    size: tuple[int, int, int]
    parameters: int
    multiply_adds: int
    why_no_field: str | None
    why_no_gradient: str | None


def find_layers(model: ExplainedModel) -> Layers:
    """Return what there is to know of every layer that runs and puts out a tensor.

    Raises:
        NoSpatialLayer: The network is a script of torch.jit.
        UserCodeFailed, OutOfMemory: It raised something.
    """
    module, size = model.module, model.size
    if is_scripted(module):
        raise NoSpatialLayer("its layers cannot be looked into: it is a script of torch.jit")
    maps = spatial_layers(module, size)
    seen = receptive_fields(module, size, maps)
    tried = _try(model)
    names = [name for name, _ in module.named_modules() if name in tried.trace.calls]
    known = _Known(maps, seen, tried)
    rows = [known.row(name, module.get_submodule(name)) for name in names]
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype(_DTYPES)
    return Layers(
        table,
        size,
        _parameters(module),
        sum(tried.trace.multiply_adds.values()),
        seen.why_none,
        tried.why_no_gradient,
    )


class _Tried(NamedTuple):
    """What a run with gradients shows: each call of each layer, and what they allow, by name."""

    trace: Trace
    with_gradient: frozenset[str]  # the scores depend on them
    rectified: frozenset[str]  # a rectifier lies on the way to them
    why_no_gradient: str | None


def _try(model: ExplainedModel) -> _Tried:
    """Run a network once on noise, with gradients where it allows them, and look at each layer."""
    random = torch.Generator().manual_seed(0)
    noise = torch.rand((1, *model.size), generator=random).to(model.grey)
    image = (model.grey + noise - 0.5).requires_grad_()
    with borrowed(model.module), torch.enable_grad():
        with traced(model.module) as trace:
            scores = model.logits(image)
        why_none = None if scores.requires_grad else "its scores have no gradient"
        made_by = {name: calls[-1].made_by for name, calls in trace.calls.items()}
        known = {name: step for name, step in made_by.items() if step is not None}
        return _Tried(trace, *_allowed(scores, known), why_none)


def _allowed(scores: Tensor, made_by: Mapping[str, Node]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the layers that scores have gradients of, and those with rectifiers before them."""
    behind = set(nodes(scores))
    with_gradient = frozenset(name for name, step in made_by.items() if step in behind)
    told = rectified([*made_by.values()])
    return with_gradient, frozenset(
        name for name, is_so in zip(made_by, told, strict=True) if is_so
    )


class _Known(NamedTuple):
    """All that was found of layers, by their names."""

    maps: Mapping[str, SpatialLayer]
    seen: Seen
    tried: _Tried

    def row(self, name: str, layer: nn.Module) -> dict[str, Any]:
        """Return the row of a layer."""
        calls = self.tried.trace.calls[name]
        shape = calls[-1].shape[1:]
        return {
            "layer": name,
            "depth": name.count("."),
            "type": type(layer).__name__,
            "runs": len(calls),
            "output": " x ".join(map(str, shape)),
            **self._places(name, shape),
            "parameters": _parameters(layer),
            "multiply_adds": sum(
                n
                for inner, n in self.tried.trace.multiply_adds.items()
                if f"{inner}.".startswith(f"{name}.")
            ),
            # Of what only holds other layers, or has nothing to learn, it would say nothing new.
            "activation": calls[-1].activation_name if [*layer.parameters(recurse=False)] else None,
            "analyses": ", ".join(self._analyses(name, layer)) or None,
        }

    def _places(self, name: str, shape: tuple[int, ...]) -> dict[str, Any]:
        """Return what is known of the places of a layer."""
        found = self.maps.get(name)
        if found is None:
            channels = shape[0] if len(shape) == 1 or shape[1:] == (1, 1) else None
            return {"channels": channels}
        axis = {"NCHW": 0, "NHWC": 2, "tokens": 1}[found.layout]
        field = self.seen.fields.get(name)
        known: dict[str, Any] = {
            "layout": found.layout,
            "channels": shape[axis],
            "rows": found.grid[0],
            "columns": found.grid[1],
        }
        if field is None:
            return known
        known["field_whole"] = field.whole
        for at, way in enumerate(("rows", "columns")):
            known[f"field_{way}"] = field.size[at]
            if field.regular:
                known[f"stride_{way}"] = field.stride[at]
            if field.regular and not field.whole:
                known[f"offset_{way}"] = field.offset[at]
        return known

    def _analyses(self, name: str, layer: nn.Module) -> Iterator[str]:
        """Yield what can be asked of a layer, as it turned out."""
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            yield "filters"
        if name not in self.maps:
            return
        yield "activations"
        yield "features"
        if name in self.tried.with_gradient:
            yield "grad-cam"
        if name in self.tried.rectified:
            yield "deconvnet"


def _parameters(layer: nn.Module) -> int:
    return sum(weight.numel() for weight in layer.parameters())
