"""How help looks: plain text below headings, at most 80 columns wide, nothing cut."""

import os
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from errlens.commands.options.panels import Panel

_MOST_NAME: Final = 26  # characters; the text of a longer option begins on the line after it
_SHORT_FACT: Final = 32  # characters that stay on one line
_MOST_IN_MENU: Final = 70  # characters of what completion says of a word
_BLANK: Final = "\N{NO-BREAK SPACE}"
_EXAMPLES: Final = "\n\nExamples:\n"
_CODE: Final = re.compile("`[^`]+`")

_Row = tuple[str, str]  # what is typed, and what it means


class _Described:
    """What commands and groups of commands have in common: the docstring is the help."""

    help: str | None

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the arguments and the options, with `--help`."""
        params: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for param in params:
            # Typer's own flags; where one is not given, Typer imports pydantic to convert nothing.
            if isinstance(param, TyperOption) and param.is_flag and param.default is None:
                param.default = False
        return params

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """Return what may be meant; each says in a line what it is, for the menus of shells."""
        proposals: list[Any] = super().shell_complete(ctx, incomplete)  # type: ignore[misc]
        for proposal in proposals:
            if proposal.help:
                proposal.help = textwrap.shorten(proposal.help, _MOST_IN_MENU, placeholder=" ...")
        return proposals

    def get_short_help_str(self, limit: int = 45) -> str:
        """Return the summary, whole: Typer would cut it at the limit."""
        del limit
        return " ".join((self.help or "").partition("\n\n")[0].split())

    def format_help_text(self, ctx: Any, formatter: Any) -> None:
        """Write the paragraphs, and the examples as they stand."""
        del ctx
        paragraphs, _, examples = (self.help or "").partition(_EXAMPLES)
        for paragraph in paragraphs.split("\n\n"):
            text = _CODE.sub(_whole, " ".join(paragraph.split()))
            formatter.write(f"\n{_wrapped(text, formatter.width, indent=2)}\n")
        if examples:
            lines = textwrap.indent(textwrap.dedent(examples).rstrip(), "  ")
            formatter.write(f"\n{_heading('Examples')}\n{lines}\n")


class HelpfulCommand(_Described, TyperCommand):
    """A command whose help has its options in panels."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return what stands behind the name of the command."""
        arguments = [param for param in self.get_params(ctx) if isinstance(param, TyperArgument)]
        return ["[OPTIONS]"] + [
            _name(param) if param.required else f"[{_name(param)}]" for param in arguments
        ]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments, and the options below the headings of their panels."""
        sections: dict[str, list[_Row]] = {"Arguments": [], **{panel: [] for panel in Panel}}
        for param in self.get_params(ctx):
            heading = "Arguments"
            if isinstance(param, TyperOption):
                heading = Panel(param.rich_help_panel or Panel.COMMON)
            sections[heading].append((_name(param), _text(param)))
        _write_sections(formatter, sections)


class HelpfulGroup(_Described, TyperGroup):
    """A group whose help has its commands in sections; those of no section come after them."""

    sections: ClassVar[Mapping[str, Sequence[str]]] = {}

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read what was typed; `help COMMAND` is another way to say `COMMAND --help`."""
        if args[:1] == ["help"]:
            args = [*args[1:], "--help"]
        parsed: list[str] = super().parse_args(ctx, args)
        return parsed

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the commands with their summaries, and the options."""
        placed = {name for names in self.sections.values() for name in names}
        others = [name for name in self.list_commands(ctx) if name not in placed]
        for_commands = {
            heading: [(name, self.commands[name].get_short_help_str()) for name in names]
            for heading, names in {**self.sections, "Commands": others}.items()
        }
        _write_sections(formatter, for_commands)
        options = [(_name(param), _text(param)) for param in self.get_params(ctx)]
        _write_sections(formatter, {"Options": options})


def _write_sections(formatter: Any, sections: Mapping[str, Sequence[_Row]]) -> None:
    """Write rows below their headings, all texts from the same column on."""
    names = [name for rows in sections.values() for name, _ in rows]
    column = 4 + max((len(name) for name in names if len(name) <= _MOST_NAME), default=0)
    for heading, rows in sections.items():
        if rows:
            formatter.write(f"\n{_heading(heading)}\n")
        for name, text in rows:
            start = f"  {name}"
            lines = _wrapped(text, formatter.width, indent=column)
            if len(name) <= _MOST_NAME:
                formatter.write(f"{start}{lines[len(start) :]}\n")
            else:
                formatter.write(f"{start}\n{lines}\n")


def _heading(text: str) -> str:
    """Return a heading, bold; Typer takes that away again where output is no terminal."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return f"{text}:" if plain else typer.style(f"{text}:", bold=True)


def _wrapped(text: str, width: int, *, indent: int) -> str:
    """Break a text at blanks alone: the name of an option or a file stays whole."""
    margin = " " * indent
    lines = textwrap.wrap(
        text,
        width,
        initial_indent=margin,
        subsequent_indent=margin,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines).replace(_BLANK, " ")


def _whole(found: re.Match[str]) -> str:
    """Keep a text on one line."""
    return found[0].replace(" ", _BLANK)


def _name(param: Any) -> str:
    """Return what is typed: the spellings of an option, the short one first, and its value."""
    if isinstance(param, TyperArgument):
        return param.metavar or param.name.upper()
    spellings = ", ".join(sorted(param.opts, key=len))
    if param.is_flag:
        return "/".join([spellings, *param.secondary_opts])
    if param.metavar:
        return f"{spellings} {param.metavar}"
    with_choices = f"{spellings} {'|'.join(_choices(param))}"
    fits = _choices(param) and len(with_choices) <= _MOST_NAME
    return with_choices if fits else f"{spellings} NAME"


def _text(param: Any) -> str:
    """Return what an option means, and in brackets what values it takes."""
    facts = [
        fact.replace(" ", _BLANK) if len(fact) <= _SHORT_FACT else fact.replace(" ", _BLANK, 1)
        for fact in _facts(param)
    ]
    return f"{param.help or ''}  [{'; '.join(facts)}]" if facts else param.help or ""


def _facts(param: Any) -> Iterator[str]:
    """Yield what an option takes, as far as its name does not show it."""
    choices = _choices(param)
    if choices and not _name(param).endswith("|".join(choices)):
        yield " or ".join(filter(None, (", ".join(choices[:-1]), choices[-1])))
    if isinstance(param.show_default, str):
        yield f"default: {param.show_default}"
    elif getattr(param, "secondary_opts", None):
        yield f"default: {(param.opts if param.default else param.secondary_opts)[0]}"
    elif param.show_default and param.default is not None and param.default is not False:
        yield f"default: {param.default}"
    yield from _range(param.min, param.max)
    if isinstance(param, TyperOption) and param.multiple:
        yield "repeatable"
    if isinstance(param, TyperOption) and param.required:
        yield "required"


def _choices(param: Any) -> list[str]:
    """Return the words that an option takes, none where it takes anything."""
    return list(map(str, param.type_descriptor.choices or ()))


def _range(low: float | None, high: float | None) -> Iterator[str]:
    """Yield the limits of a number, but for those that any count has."""
    if low is not None and high is not None:
        yield f"{low:g} to {high:g}"
    elif high is not None:
        yield f"at most {high:g}"
    elif low not in (None, 0, 1):
        yield f"at least {low:g}"
