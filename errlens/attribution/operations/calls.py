"""Follows what a network computes, and lets rules compute it, wherever and however it is called.

A rule is attached to what is computed at a call, not to a module: functions, methods, operators,
what works in place and what is called twice are all the same to it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import torch
from torch import Tensor
from torch.autograd.graph import Node
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map_only

from errlens.attribution.operations.composed import COMPOSED
from errlens.attribution.operations.graph import kind, nodes
from errlens.attribution.operations.names import (
    ASKED,
    ELEMENTWISE,
    LINEAR,
    MAXIMA,
    MOVES,
    PRODUCTS,
    Operation,
    operation,
)
from errlens.attribution.operations.rules import Rules, depends
from errlens.errors import Unruled

Call = Callable[..., Any]


@contextmanager
def ruled(rules: Rules) -> Iterator["Calls"]:
    """Let rules compute what a network computes, as long as this lasts.

    Raises:
        Unruled: There is no rule for what it computes.
    """
    with Calls(rules) as calls:
        yield calls


class Calls(TorchFunctionMode):
    """Sees each call of torch, and hands on what depends on the image to the rules."""

    def __init__(self, rules: Rules) -> None:
        super().__init__()
        self._rules = rules
        # What works in place gives a new tensor here, which stands for the old one from then on.
        # The old ones are held, for another tensor might get their number.
        self._instead: dict[int, tuple[Tensor, Tensor]] = {}
        self._seen: set[Node] = set()

    def __torch_function__(
        self,
        function: Call,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        del types
        given = dict(kwargs or {})
        if self._instead:
            args, given = tree_map_only(Tensor, self.current, (args, given))
        called = operation(function)
        if called.is_question or called.name in ASKED or not _any_depends(args, given):
            return function(*args, **given)
        if any(
            each.is_complex() for each in tree_leaves((args, given)) if isinstance(each, Tensor)
        ):
            raise Unruled("it computes with complex numbers")
        in_place = called.in_place or bool(given.pop("inplace", False))
        _refuse_outputs(called, given)
        result = self._result(called, function, args, given)
        self._seen.update(_steps(result, before=_steps_of((args, given))))
        if not in_place:
            return result
        return self._put_in_place(called, args[0], result)

    def current(self, tensor: Tensor) -> Tensor:
        """Return a tensor that the network returned, or the one that stands for it.

        That is another one where the network changed it in place.
        """
        while id(tensor) in self._instead:
            _, tensor = self._instead[id(tensor)]
        return tensor

    def unseen(self, result: Tensor) -> set[str]:
        """Return the kinds of steps that no call was seen to take, as `graph.kind` has them.

        They are taken by code that was scripted or compiled, and by functions of somebody's own.
        """
        return {kind(node) for node in nodes(result) if node not in self._seen}

    def _put_in_place(self, called: Operation, old: Tensor, new: Tensor) -> Tensor:
        if called.name in ("setitem", "copy", "index_copy", "index_fill", "masked_fill", "fill"):
            raise Unruled(f"it writes into parts of a tensor ({called.name})")
        self._instead[id(old)] = (old, new)
        return new

    def _result(
        self, called: Operation, function: Call, args: tuple[Any, ...], given: dict[str, Any]
    ) -> Any:
        """Return what an operation gives, by the rule for its kind."""
        name = called.name
        if name in COMPOSED:
            return COMPOSED[name](self._rules, *args, **given)
        for names, compute in _KINDS:
            if name in names:
                return compute(self._rules, _out_of_place(function), args, given)
        raise Unruled(f"it computes {name}, for which there is no rule")


def _steps_of(results: Any) -> set[Node]:
    """Return the last step of each of some tensors, which may be nested."""
    steps = (each.grad_fn for each in tree_leaves(results) if isinstance(each, Tensor))
    return {step for step in steps if step is not None}


def _steps(result: Any, *, before: set[Node]) -> set[Node]:
    """Return the steps that led to a result since those before."""
    taken: set[Node] = set()
    todo = list(_steps_of(result) - before)
    while todo:
        step = todo.pop()
        taken.add(step)
        earlier = {node for node, _ in step.next_functions if node is not None}
        todo += earlier - taken - before
    return taken


def _any_depends(args: tuple[Any, ...], given: Mapping[str, Any]) -> bool:
    return any(
        depends(value) or (isinstance(value, list | tuple) and any(depends(each) for each in value))
        for value in (*args, *given.values())
    )


def _refuse_outputs(called: Operation, given: Mapping[str, Any]) -> None:
    if given.get("out") is not None:
        raise Unruled(f"it writes what it computes by {called.name} into a tensor of its own")


def _out_of_place(function: Call) -> Call:
    """Return the function that gives a new tensor where this one changes the first."""
    name = operation(function).name
    if not operation(function).in_place:
        return function
    for place in (torch, Tensor, functional):
        if hasattr(place, name):
            return getattr(place, name)  # type: ignore[no-any-return]
    raise Unruled(f"it computes {name} in place, for which there is no rule")


def _moved(rules: Rules, function: Call, args: tuple[Any, ...], given: dict[str, Any]) -> Any:
    del rules
    return function(*args, **given)


def _product(rules: Rules, function: Call, args: tuple[Any, ...], given: dict[str, Any]) -> Tensor:
    one, other = (*args, *given.values())
    if depends(one) and depends(other):
        return rules.product(function, one, other)
    return function(one, other)  # type: ignore[no-any-return]


def _elementwise(
    rules: Rules, function: Call, args: tuple[Any, ...], given: dict[str, Any]
) -> Tensor:
    name = operation(function).name
    image, *others = args or (given.pop("input"),)
    if any(map(depends, (*others, *given.values()))):
        raise Unruled(f"what it computes by {name} depends on the image twice")
    return rules.elementwise(name, lambda values: function(values, *others, **given), image)


def _maximum(rules: Rules, function: Call, args: tuple[Any, ...], given: dict[str, Any]) -> Tensor:
    image, *others = args or (given.pop("input"),)
    return rules.maximum(lambda values: function(values, *others, **given), image)


def _linear(rules: Rules, function: Call, args: tuple[Any, ...], given: dict[str, Any]) -> Tensor:
    names = ("input", "weight", "bias")
    first = {**dict(zip(names, args[:3], strict=False)), **given}
    image, weight, bias = (first.pop(name, None) for name in names)
    rest = args[3:]
    if not depends(image) or depends(weight) or depends(bias):
        raise Unruled("its weights depend on the image")

    def apply(values: Tensor, weights: Tensor, shift: Tensor | None) -> Tensor:
        return function(values, weights, shift, *rest, **first)  # type: ignore[no-any-return]

    return rules.linear(apply, image, weight, bias)


_KINDS: Final = (
    (MOVES, _moved),
    (LINEAR, _linear),
    (ELEMENTWISE, _elementwise),
    (PRODUCTS, _product),
    (MAXIMA, _maximum),
)
