"""A run as pages and files that others read: HTML, Markdown, JUnit.

The function that writes the page is `errlens.write_report`: this room has the name of its command,
and whoever calls it is told so.
"""

import sys
from types import ModuleType


class _Room(ModuleType):
    def __call__(self, *_args: object, **_options: object) -> None:
        raise TypeError("errlens.report is a module; errlens.write_report(run) writes the page")


sys.modules[__name__].__class__ = _Room
