"""Regular expressions mean the same in every Python that we support."""

import importlib
import pkgutil
import re
from re import _parser

import pytest

import oauthmagic
from oauthmagic.errors import ExtraMissing

SINGLE = {"LITERAL", "NOT_LITERAL", "IN", "ANY"}


def patterns():
    """Return the patterns of all modules that can be imported, by where they stand."""
    found = {}
    for info in pkgutil.walk_packages(oauthmagic.__path__, "oauthmagic."):
        if info.name.endswith("__main__"):
            continue
        try:
            module = importlib.import_module(info.name)
        except (ImportError, ExtraMissing):
            continue
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern):
                found[f"{info.name}.{name}"] = value
    return found


def careless(parsed):
    """Return the possessive repeats of anything but one character."""
    found = []
    for code, argument in parsed:
        name = str(code)
        inside = [argument]
        if name in ("POSSESSIVE_REPEAT", "MAX_REPEAT", "MIN_REPEAT"):
            inside = [argument[2]]
            single = len(argument[2]) == 1 and str(argument[2][0][0]) in SINGLE
            if name == "POSSESSIVE_REPEAT" and not single:
                found.append(argument[2])
        elif name == "SUBPATTERN":
            inside = [argument[3]]
        elif name == "BRANCH":
            inside = argument[1]
        elif name in ("ASSERT", "ASSERT_NOT"):
            inside = [argument[1]]
        elif name == "ATOMIC_GROUP":
            found.append(argument)
        for each in inside:
            if isinstance(each, _parser.SubPattern):
                found += careless(each)
    return found


def test_only_single_characters_are_repeated_possessively():
    """Before 3.11.5, Python loses matches of anything longer (gh-106052).

    With Debian 12's Python, the redactor did not know a secret in percent encoding.
    """
    every = patterns()

    assert len(every) > 60
    assert {
        where: pattern.pattern
        for where, pattern in every.items()
        if careless(_parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE))
    } == {}


@pytest.mark.parametrize(
    ("pattern", "is_careless"),
    [
        (r"a++b[cd]*+\w?+", False),
        (r"(?:ab?)++", True),
        (r"x(?:(?>a|b))", True),
        (r"(y(?:ab|b)*+)", True),
        (r"(?=(?:ab)++)", True),
        (r"a|(?:bc)?+", True),
    ],
)
def test_the_search_finds_them(pattern, is_careless):
    """The harness itself."""
    assert bool(careless(_parser.parse(pattern))) is is_careless
