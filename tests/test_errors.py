import re

from errlens import errors
from errlens.errors import ErrlensError


def subclasses(kind):
    for one in kind.__subclasses__():
        yield one
        yield from subclasses(one)


def test_the_tree_at_the_top_of_the_module_is_the_tree_of_classes():
    drawn = re.findall(r"── (\w+)", errors.__doc__)
    assert sorted(drawn) == sorted(one.__name__ for one in subclasses(ErrlensError))
    codes = dict(re.findall(r"── (\w+) \((\d+)\)", errors.__doc__))
    assert codes == {"UsageError": "2", "InputError": "3", "Interrupted": "130"}
    for name, code in codes.items():
        family = getattr(errors, name)
        assert all(one.exit_code == int(code) for one in (family, *subclasses(family)))
