"""How the settings that restore an expected accuracy look on the terminal."""

from errlens.commands.evaluate.advice import Advice, as_options
from errlens.formats import count, share
from errlens.terminal import Screen


def show_advice(screen: Screen, advice: Advice) -> None:
    """Print the settings that restore the expected accuracy, if any, and the command to go on."""
    if advice.diagnosis is None:
        return
    screen.say()
    rows = [
        (as_options(trial.changes), share(trial.accuracy, trial.n), count(trial.n))
        for trial in advice.diagnosis.restoring
    ]
    if rows:
        screen.table(("instead", ">top-1", ">images not used to choose it"), rows)
        screen.say()
        screen.say(f"Next: {advice.command}")
