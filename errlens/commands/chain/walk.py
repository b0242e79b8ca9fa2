"""Takes step after step; what one cannot do is no loss for the others."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from errlens.commands.chain.steps import MAKERS, STEPS
from errlens.commands.report.result import ReportResult
from errlens.errors import ErrlensError, GateFailed, Interrupted, TooManyBadInputs
from errlens.report.sources import Verdict, verdict
from errlens.run.folder import RunFolder
from errlens.terminal import Screen, StepScreen, show_error

_WHEN_ALL_IS_DONE: Final = (GateFailed, TooManyBadInputs)  # raised by a step that has been shown

# Other options for a step that failed with some; None where nothing else can be tried.
Instead = Callable[[Any, ErrlensError], Any]


def _nothing(_options: Any, _error: ErrlensError) -> None:
    return None


class Ending(NamedTuple):
    """What steps came to together.

    `verdict` is what the page begins with, and `page` is its file, if there is one;
    `steps` are the objects that stand for the results, by step, and `not_done` says why others
    have none.
    """

    run: RunFolder | None
    verdict: Verdict
    page: Path | None
    steps: Mapping[str, Any]
    not_done: Mapping[str, str]


class Walk:
    """Steps that are taken one after the other; `results` are what the commands return.

    Failures of the kinds `pardoned` are said, and are no failures of the whole.
    """

    def __init__(self, screen: Screen, *, pardoned: tuple[type[ErrlensError], ...] = ()) -> None:
        self._screen = screen
        self._pardoned = pardoned
        self._failures: list[ErrlensError] = []
        self._trees: dict[str, Any] = {}
        self._not_done: dict[str, str] = {}
        self.results: dict[str, Any] = {}

    def take(self, name: str, options: Any, *, instead: Instead = _nothing) -> None:
        """Take a step.

        Args:
            name: Which one.
            options: Of its command.
            instead: Returns the options to try where these fail.

        Raises:
            ErrlensError: No run was made, and nothing can go on.
            Interrupted: The user stopped it; what was done is kept.
        """
        try:
            self._do(name, options)
        except KeyboardInterrupt:
            raise Interrupted(
                "stopped",
                hint="the same command goes on where it was"
                if self.results
                else "the same command begins again; predictions that are saved are not made twice",
            ) from None
        except Interrupted:
            raise
        except _WHEN_ALL_IS_DONE as error:
            self._failures.append(error)
        except ErrlensError as error:
            if name in MAKERS:
                raise
            if other := instead(options, error):
                self.take(name, other)
            else:
                self._miss(name, error)

    def _do(self, name: str, options: Any) -> None:
        screen = StepScreen(self._screen)
        try:
            self.results[name] = STEPS[name].load(quiet=options.quiet)(options, screen)
        finally:
            if screen.tree:
                self._trees[name] = screen.tree

    def _miss(self, name: str, error: ErrlensError) -> None:
        """Take note of what cannot be done, and say so, of several steps once."""
        is_known = str(error) in self._not_done.values()
        self._not_done[name] = str(error)
        if not isinstance(error, self._pardoned):
            self._failures.append(error)
            StepScreen(self._screen).step(name, "failed: see the error below")
        elif not is_known:
            self._screen.warn(f"{name}: {error}")

    def end(self, run: RunFolder) -> Ending:
        """Return what the steps came to."""
        report: ReportResult | None = self.results.get("report")
        known = run.info_file.exists() and bool(self._trees.keys() - {"network_probe"})
        return Ending(
            run=run if known else None,
            verdict=self._verdict(run) if known else Verdict(),
            page=report.page_file if report else None,
            steps=self._trees,
            not_done=self._not_done,
        )

    def _verdict(self, run: RunFolder) -> Verdict:
        """Return what is to be said of a run; of gates only where they are a step.

        There is nothing to say of a damaged run, which a step has told.
        """
        try:
            return verdict(run, gates="check" in self._trees)
        except ErrlensError:
            if not self._failures:
                raise
            return Verdict()

    def raise_failure(self) -> None:
        """End with the gravest failure, if there was one, after all others have been shown."""
        if not self._failures:
            return
        gravest = max(self._failures, key=lambda error: error.exit_code)
        for error in self._failures:
            if error is not gravest:
                show_error(error)
        raise gravest
