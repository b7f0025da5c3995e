"""A value that the scanner was told is found in any spelling, and never held."""

from __future__ import annotations

import gc
import runpy
from pathlib import Path

import pytest

from oauthmagic.redaction import Secret, redact
from oauthmagic.scan.files import search_for
from oauthmagic.scan.judges import Context
from oauthmagic.scan.known import KnownValues
from oauthmagic.scan.texts import hits_in

WAYS = runpy.run_path(str(Path(__file__).parents[1] / "redaction" / "test_redactor.py"))
CANARY, WAYS = WAYS["CANARY"], WAYS["WAYS"]
KEY = b"key of the tests"
#: Of a value without signs, words and punctuation around it.
PLAIN = "canaryvalue7f3a9Q"
SHORT = "hunter2-x"


def known_in(text, *values):
    """Return the finds of known values."""
    search = search_for([Secret(value) for value in values], KEY)
    hits = hits_in(text, Context.TEXT, search)
    return [hit for hit in hits if hit.kind.name == "known-value"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("value", [CANARY, PLAIN], ids=["signs", "letters"])
def test_it_is_found_in_every_spelling_that_the_redactor_knows(way, value):
    """What is masked in an output has to be found in a file."""
    written = WAYS[way](value)
    text = f"before ({written}) after"
    held = Secret(value)
    assert redact(text) != text

    hits = known_in(text, value)

    assert hits
    assert all(value not in hit.excerpt for hit in hits)
    assert held


@pytest.mark.parametrize(
    "text",
    [
        f"x {SHORT} y",
        f"'{SHORT}'",
        f"a={SHORT}&b",
        f'\\"{SHORT}\\"',
        f"<b>{SHORT}</b>",
        f"{SHORT}\n",
        "x \x1b[1mhunter\x1b[0m2-x.",
        "aHVudGVyMi14IGlzIHRoZSBwYXNzd29yZA==",
    ],
)
def test_a_short_value_is_found_where_it_stands_alone(text):
    """Unescaped, between tags and colours, and in base64."""
    assert known_in(text, SHORT)


@pytest.mark.parametrize("text", ["hunter", "xhunter2-xy", "hunter 2-x", "a" * 99, ""])
def test_other_words_are_not(text):
    """A part of it, or what only holds it."""
    assert known_in(text, SHORT, PLAIN) == []


def test_values_under_six_characters_are_ordinary_words():
    """A password `demo` would be everywhere."""
    assert known_in("a demo of demo", "demo") == []


def test_equal_values_have_one_fingerprint():
    """Whatever their spelling, and whether they were told or only looked like one."""
    text = f"{PLAIN}\n{WAYS['hex'](PLAIN)}\naccess_token = '{PLAIN}'"
    told = {hit.fingerprint for hit in known_in(text, PLAIN)}
    found = hits_in(text, Context.TEXT, search_for([], KEY))

    assert len(told) == 1
    assert {hit.fingerprint for hit in found} == told
    assert {hit.fingerprint for hit in known_in(text, PLAIN)} == told


def test_fingerprints_of_two_runs_cannot_be_compared():
    """Each run has a key of its own, so no list of hashes can be made."""
    text = f"access_token = '{PLAIN}'"

    marks = {hits_in(text, Context.TEXT, search_for([]))[0].fingerprint for _ in "ab"}

    assert len(marks) == 2


def test_the_scanner_holds_no_value():
    """Walk everything that can be reached from it."""
    held = KnownValues([Secret(CANARY), Secret(SHORT)], KEY)
    seen, waiting = set(), [held]
    while waiting:
        each = waiting.pop()
        if id(each) in seen or isinstance(each, type):
            continue
        seen.add(id(each))
        assert not (isinstance(each, str) and (SHORT in each or CANARY[:8] in each))
        waiting += gc.get_referents(each)
