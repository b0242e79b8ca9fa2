"""How advice on the preprocessing looks on the terminal."""

from errlens.commands.evaluate.advice import Advice, as_options
from errlens.formats import count, share
from errlens.terminal import Screen


def show_advice(screen: Screen, advice: Advice) -> None:
    """Warn, and print the settings that restore the accuracy expected, or what else to try."""
    if advice.diagnosis:
        screen.say()
    if advice.warning:
        screen.warn(advice.warning)
    if advice.further:
        screen.warn(advice.further)
    rows = [
        (as_options(trial.changes), share(trial.accuracy, trial.n), count(trial.n))
        for trial in (advice.diagnosis.restoring if advice.diagnosis else ())
    ]
    if rows:
        heads = ("instead", ">top-1", ">images not used to choose it")
        screen.essential.table(heads, rows, prose=heads[:1])
        screen.step("", f"to evaluate with it: {advice.command}")
        screen.say()
        screen.whole(f"Next: {advice.command}")
    elif advice.untold:
        screen.step("", f"to try it: {advice.command}")
        screen.say()
        screen.whole(f"Next: {advice.command}")
