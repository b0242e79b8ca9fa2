"""What the commands of the group look into: the model of a run, or one by its name or file."""

import dataclasses
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple

import typer

from errlens.commands.network.options import FilesOption
from errlens.commands.options.model import DeviceOption, ModelOptions, TrustOption
from errlens.commands.options.panels import Panel
from errlens.commands.options.shell import given_options
from errlens.errors import UnfitOption
from errlens.run.places import DEFAULT_RUNS, is_run

if TYPE_CHECKING:
    from errlens.model.classifier import Classifier
    from errlens.run.folder import RunFolder
    from errlens.terminal import Screen

KIND: Final = "network"  # the folder of a run, or of the current one, that results go to


class Subject(NamedTuple):
    """A classifier to look into, what to call it, and the run that it made, if it is one's.

    One that is not `trained` is an architecture: its weights say nothing.
    """

    classifier: "Classifier"
    name: str
    run: "RunFolder | None" = None
    trained: bool = True

    def folder(self, into: Path | None, *inside: str, kind: str = KIND) -> Path:
        """Return where results go: `into`, else RUN/network of a run, else network; and inside.

        Of another `kind` of command they go to RUN/KIND.

        Raises:
            OutsideRun: It is a link that leads out of the run.
        """
        if into is None and self.run is not None:
            return self.run.results_folder("/".join((kind, *inside)))
        return (into or Path(kind)).joinpath(*inside)

    @property
    def made_of(self) -> str:
        """The hash that results record: of the run, or of the model."""
        if self.run is not None:
            return self.run.info.run_hash
        settings = self.classifier.settings("")
        return (settings if self.trained else replace(settings, weights_sha256="")).run_hash


@dataclass(frozen=True, kw_only=True)
class SubjectOptions(ModelOptions, TrustOption, DeviceOption, FilesOption):
    """Which network is looked into: that of a run, or one by its name or its file of weights."""

    PANEL = Panel.MODEL

    subject: Annotated[
        str | None,
        typer.Argument(
            metavar="RUN|MODEL",
            show_default="the newest run below runs/",
            help="A run folder, a name as of --model, or a file as of --checkpoint.",
        ),
    ] = None

    def find_subject(self, screen: "Screen", *, trained: bool = True) -> Subject:
        """Return the network these options mean; of the newest run, say which that is.

        Args:
            screen: Is told what was taken.
            trained: Without, an architecture by its name will do, and no weights are fetched.

        Raises:
            UnfitOption: Two models are named, or a run with options of a model.
            NotARun: A folder is no run, or there is none.
        """
        found = self.subject or ""
        kind = _kind(found) if found else None
        if kind == "run":
            return self._of_run(Path(found), trained=trained)
        if kind is None and self.model is None and self.checkpoint is None:
            from errlens.run.folder import newest_run

            newest = newest_run(DEFAULT_RUNS)
            screen.remark(f"the newest run: {newest.path}")
            return self._of_run(newest.path, trained=trained)
        if kind is None:
            return self._of_model(self, screen, trained=trained)
        if (given := getattr(self, kind)) is not None:
            raise UnfitOption(
                f"two models are named: {self.subject!r} and --{kind} {given}",
                hint="leave one of them out",
            )
        named: dict[str, Any] = {kind: Path(found) if kind == "checkpoint" else found}
        return self._of_model(dataclasses.replace(self, **named), screen, trained=trained)

    def of_another(self, subject: str) -> "SubjectOptions":
        """Return these options for a second network: what they say of the first is left out."""
        defaults: dict[str, Any] = {
            field.name: field.default for field in dataclasses.fields(ModelOptions)
        }
        return dataclasses.replace(self, **defaults, subject=subject)

    def _of_run(self, path: Path, *, trained: bool) -> Subject:
        from errlens.model.reload import reload_classifier, untrained_classifier
        from errlens.run.folder import open_run

        run = open_run(path)
        if given := given_options(self, ModelOptions):
            raise UnfitOption(
                f"{str(path)!r} is a run and knows its model: {', '.join(given)} would change it",
                hint="leave that out, or name the model instead of the run",
            )
        info = run.require_model()
        if trained:
            run.require_complete()
            classifier = reload_classifier(info, device=self.device, trusted=self.trust_run)
        else:
            classifier = untrained_classifier(info, trusted=self.trust_run)
        return Subject(classifier, path.resolve().name, run, trained)

    def _of_model(self, options: "SubjectOptions", screen: "Screen", *, trained: bool) -> Subject:
        classifier = options.load_classifier(labels=(), device=self.device, trained=trained)
        for remark in classifier.network.remarks:
            screen.remark(remark)
        name = options.checkpoint.stem if options.checkpoint else classifier.network.name
        return Subject(classifier, name, None, trained or options.checkpoint is not None)


def _kind(subject: str) -> Literal["run", "checkpoint", "model"]:
    """Tell what is named: what looks like a place and is not there was meant to be a run."""
    path = Path(subject)
    if is_run(path):
        return "run"
    if path.is_file() or (path / "config.json").is_file():
        return "checkpoint"
    is_place = path.is_dir() or (len(path.parts) > 1 and ":" not in subject)
    return "run" if is_place else "model"
