"""How a chain of commands ends on the terminal."""

from errlens.commands.chain.walk import Ending
from errlens.commands.showing import print_json, show_findings
from errlens.terminal import Screen


def show_end(screen: Screen, command: str, ending: Ending) -> None:
    """Print what was found, and where the page is."""
    screen.say()
    verdict = ending.verdict
    for sentence in verdict.sentences:
        screen.say(sentence)
    if ending.run:
        show_findings(screen, ending.run, verdict.findings)
    for sentence in verdict.nothing:
        screen.say(sentence)
    if ending.page:
        screen.say()
        screen.say_place("The page: ", ending.page)
    print_json(
        screen,
        command,
        ending.run,
        verdict=verdict.texts,
        page=str(ending.page) if ending.page else None,
        steps=ending.steps,
        not_done=ending.not_done,
    )
