"""How a chain of commands ends on the terminal."""

from errlens.commands.chain.walk import Ending
from errlens.commands.showing import print_json
from errlens.terminal import Screen


def show_end(screen: Screen, command: str, ending: Ending) -> None:
    """Print what was found, and where the page is."""
    screen.say()
    for sentence in ending.verdict:
        screen.say(sentence)
    if ending.page:
        screen.say()
        screen.say_place("The page: ", ending.page)
    print_json(
        screen,
        command,
        ending.run,
        verdict=ending.verdict,
        page=str(ending.page) if ending.page else None,
        steps=ending.steps,
        not_done=ending.not_done,
    )
