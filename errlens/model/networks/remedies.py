"""What to do about a checkpoint that does not fit: only what was tried and fits is proposed."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NoReturn

from errlens.errors import (
    BadCheckpoint,
    ErrlensError,
    IncompatibleCheckpoint,
    InputError,
    NoClassifier,
    UnfitOption,
    some,
)
from errlens.model.networks.trials import Trial, try_out
from errlens.model.weights.architectures import (
    fitting_architectures,
    nearest_architecture,
    similar_architectures,
)
from errlens.model.weights.checkpoints import Checkpoint, lines_to_save
from errlens.model.weights.substitutes import is_of_transformers, refuse_substitutes

_MOST_SIMILAR: Final = 3  # architectures that are tried with other arguments
_CHANNELS: Final = (1, 3)  # of photos
_KINDS: Final = ("missing", "unexpected", "of another shape")
_FACTORY: Final = "--model package.module:function, your own, that builds it as it was trained"
_OF_TRANSFORMERS: Final = (
    "its tensors are called as in Hugging Face's transformers: give --model "
    "package.module:function, your own, that returns "
    "AutoModelForImageClassification.from_pretrained(FOLDER), and no --checkpoint"
)


def choose_architecture(checkpoint: Checkpoint, given: Mapping[str, Any]) -> str:
    """Return the one architecture that has the tensors of a checkpoint, at least but for its head.

    Raises:
        UnfitOption: There are several, or none; the hint names what was tried and fits.
        BadCheckpoint, IncompatibleCheckpoint, NoClassifier: It is known why none does.
    """
    fitting = fitting_architectures(checkpoint)
    if len(fitting) == 1:
        return fitting[0]
    refuse_substitutes(checkpoint)
    what = f"{checkpoint.path.name} does not say its architecture, and its tensors fit"
    if fitting:
        trial = try_out(checkpoint, fitting[0], given)
        if trial and not trial.fits:
            raise _sentence(checkpoint, trial, named=False) or _no_idea(checkpoint, what)
        library = "torchvision" if ":" in fitting[0] else "timm"
        raise UnfitOption(
            f"{what} {len(fitting)} of {library}'s: {some(fitting, most=10)}",
            hint=f"add --model {fitting[0]}, or whichever was trained",
        )
    for trial in _others(checkpoint, given):
        failure = _sentence(checkpoint, trial, named=False)
        if failure and trial.fits:
            raise UnfitOption(
                f"{what} none of timm's or torchvision's but {trial.name}"
                + (f" with {trial.told}" if trial.arguments else ""),
                hint=failure.hint,
            )
        raise failure or _no_idea(checkpoint, what)
    raise _no_idea(checkpoint, what)


def raise_better(
    failure: IncompatibleCheckpoint,
    checkpoint: Checkpoint,
    name: str,
    given: Mapping[str, Any],
    *,
    new_head: bool = False,
) -> NoReturn:
    """Raise a failure to load a checkpoint with what it is and what to do, as far as that is known.

    Args:
        failure: What was found to differ.
        checkpoint: The weights.
        name: The architecture that they do not fit.
        given: Its arguments.
        new_head: The network is to get another classifier than the one that lacks.
    """
    refuse_substitutes(checkpoint)
    trial = try_out(checkpoint, name, given)
    better = _sentence(checkpoint, trial, named=True, new_head=new_head) if trial else None
    if better:
        raise better from failure
    if other := next(_others(checkpoint, {}, besides=name), None):
        options = f" {other.options}" if other.options else ""
        better = failure.because(f"its tensors are those of {other.name}")
        better.hint = f"load it as that: --model {other.name}{options}"
        raise better from failure
    if trial and (outputs := trial.in_other_words(checkpoint)):
        raise _renamed(checkpoint, trial, outputs) from failure
    if is_of_transformers(checkpoint):
        failure.hint = _OF_TRANSFORMERS
    raise failure


def _others(
    checkpoint: Checkpoint, given: Mapping[str, Any], *, besides: str = ""
) -> Iterator[Trial]:
    """Yield the architectures of which all, or nearly all, names agree, if they do fit."""
    names = fitting_architectures(checkpoint) or similar_architectures(checkpoint)[:_MOST_SIMILAR]
    for name in names or filter(None, [nearest_architecture(checkpoint)]):
        trial = None if name == besides else try_out(checkpoint, name, given)
        if trial and (trial.fits or trial.fits_but_for_head or trial.only_holds_more):
            yield trial


def _sentence(
    checkpoint: Checkpoint, trial: Trial, *, named: bool, new_head: bool = False
) -> InputError | None:
    """Return the failure that says why an architecture fits not quite, and what does; or None."""
    model = "" if named else f"--model {trial.name} "
    options = f"{model}{trial.options}".strip()
    if trial.fits or (new_head and trial.fits_but_for_head and trial.arguments):
        if not trial.arguments:
            return _misfit(
                checkpoint,
                trial,
                reason="its tensors fit as they are called",
                hint="leave --head out" if named else f"add {options}",
            )
        channels = trial.arguments.get("in_chans", 3)
        if channels not in _CHANNELS:
            return _misfit(
                checkpoint,
                trial,
                reason=f"it takes images of {channels} channels",
                hint=f"photos have 3, or 1 when gray: add {options} and --transform "
                "MODULE:FUNCTION, your own function that makes such images of them",
            )
        return _misfit(
            checkpoint, trial, reason=f"it was built with {trial.told}", hint=f"add {options}"
        )
    if trial.fits_but_for_head and not new_head:
        return _without_head(checkpoint, trial, options)
    if trial.only_holds_more:
        extra = trial.difference.unexpected
        return _misfit(
            checkpoint,
            trial,
            reason=f"it holds all of it, and {some(extra, most=3)} besides",
            hint="where these do not belong to the network, and you trust the file, save the rest "
            f"alone{' and add ' + options if options else ''}:",
            code=lines_to_save(checkpoint.path, place=checkpoint.place, without=extra),
        )
    return None


def _renamed(checkpoint: Checkpoint, trial: Trial, outputs: int) -> IncompatibleCheckpoint:
    """Say that the tensors have other names, and how to save them under those of the network."""
    library, name = "timm", trial.name
    if ":" in name:
        library, _, name = name.partition(":")
    make = "timm.create_model" if library == "timm" else "torchvision.models.get_model"
    *read, write = lines_to_save(checkpoint.path, place=checkpoint.place)
    own, theirs = next(iter(trial.own)), next(iter(checkpoint.state))
    return _misfit(
        checkpoint,
        trial,
        reason=f"it has tensors of the same shapes in the same order by other names, such as "
        f"{theirs!r} for {own!r}",
        hint="where it is this network put together of its layers, and you trust the file, save it "
        "by the usual names:",
        code=[
            f"import {library}",
            *read,
            f"names = {make}({name!r}, num_classes={outputs}).state_dict()",
            write.replace("(state,", "(dict(zip(names, state.values())),"),
        ],
    )


def _without_head(checkpoint: Checkpoint, trial: Trial, options: str) -> InputError:
    """Say which layer seems to be the head, or that there is none."""
    head = trial.heads[0]
    layer = trial.other_head(checkpoint)
    if layer:
        return _misfit(
            checkpoint,
            trial,
            reason=f"its last layer is called {layer!r}, not {head!r}",
            hint="if nothing but dropout stands before it, add "
            + " ".join(filter(None, [options, f"--head {layer}"]))
            + f"; else {_FACTORY}",
        )
    rest = trial.rest(checkpoint)
    failure = NoClassifier(
        f"checkpoint {str(checkpoint.path)!r} holds the network {trial.name} without its "
        f"classifier {head!r}" + (f", but {some(rest, most=3)}" if rest else ""),
        model=trial.name,
        arguments=trial.arguments,
    )
    if rest:
        failure.hint = f"to evaluate what stands in its place, give {_FACTORY}; {failure.hint}"
    return failure


def _misfit(
    checkpoint: Checkpoint, trial: Trial, *, reason: str, hint: str, code: Sequence[str] = ()
) -> IncompatibleCheckpoint:
    missing, unexpected, misshaped = trial.difference
    failure = IncompatibleCheckpoint(
        checkpoint.path,
        missing=missing,
        unexpected=unexpected,
        misshaped=misshaped,
        model=trial.name,
        reason=reason,
    )
    failure.hint, failure.code = hint, [*code]
    return failure


def _no_idea(checkpoint: Checkpoint, what: str) -> ErrlensError:
    if is_of_transformers(checkpoint):
        return BadCheckpoint(
            f"checkpoint {str(checkpoint.path)!r} is of another library", hint=_OF_TRANSFORMERS
        )
    nearest = nearest_architecture(checkpoint)
    trial = try_out(checkpoint, nearest, {}) if nearest else None
    differs = [
        f"{len(names)} {kind}: {some(names, most=2)}"
        for kind, names in zip(_KINDS, trial.difference if trial else (), strict=False)
        if names
    ]
    return UnfitOption(
        f"{what} none of timm's or torchvision's"
        + (f"; nearest is {nearest!r} ({'; '.join(differs)})" if differs else ""),
        hint="add --model NAME with the --model-kwargs of the training or, for a network of your "
        "own, --model package.module:function",
    )
