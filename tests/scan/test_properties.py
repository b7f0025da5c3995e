"""Random notebooks: what is planted is found wherever and however; nothing else is."""

from __future__ import annotations

import base64
import contextlib
import html
import json
import urllib.parse
from random import Random

import plants
import pytest
from books import code, failed, notebook, prose, shown, stream, widgets
from hypothesis import given, settings
from hypothesis import strategies as st
from scales import scaled

from oauthmagic.redaction import Secret
from oauthmagic.redaction.folding import fold
from oauthmagic.scan.files import notebook_findings, search_for
from oauthmagic.scan.parts import Damaged

PLANTED = plants.examples("planted")
LOOKALIKES = plants.examples("lookalikes")
SENTENCE = "a list of words without any meaning, 12 or 3.5 (x) = y;"
WORDS = st.lists(st.sampled_from(SENTENCE.split()), max_size=12).map(" ".join)

#: How a text may be written in an output.
SPELLINGS = {
    "plain": lambda text: text,
    "JSON": lambda text: json.dumps({"text": text}),
    "JSON in JSON": lambda text: json.dumps({"text": json.dumps({"text": text})}),
    "HTML": lambda text: f"<pre>{html.escape(text)}</pre>",
    "coloured": lambda text: f"\x1b[31m{text[:7]}\x1b[1;32m{text[7:]}\x1b[0m",
    "highlighted": lambda text: (
        f"<i>{html.escape(text[:7])}</i><b>{html.escape(text[7:])}</b>"
    ),
    "percent": lambda text: f"\n{urllib.parse.quote(text)}\n",
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
}
#: Where; what only an output, a source or prose may hold goes there.
PLACES = {
    "output": [
        lambda text: code("", stream(f"{text}\n")),
        lambda text: code("", shown(text_plain=text)),
        lambda text: code("", failed("Traceback", text, "end")),
    ],
    "text": [
        lambda text: prose(f"# a\n\n{text}\n"),
        lambda text: code("", stream(f"a\n{text}\nb")),
        lambda text: code("", shown(text_markdown=text)),
        lambda text: code("", shown(application_json={"a": [text]})),
        lambda text: code("", note=text),
        lambda text: prose(
            "",
            attachments={"a": {"image/png": base64.b64encode(text.encode()).decode()}},
        ),
    ],
    "code": [lambda text: code(f"import x\n{text}\n")],
    "commands": [lambda text: code(f"%%api acme\n{text}")],
}


def found_in(book, *known):
    """Return what is found in a notebook."""
    search = search_for([Secret(value) for value in known], b"key of the tests")
    return [each for each, _ in notebook_findings(book, "a.ipynb", search)]


def around(cell, before, after):
    """Return a notebook with a cell between others."""
    return notebook(prose(before), code(f"# {before}"), cell, code("", stream(after)))


@st.composite
def planted(draw):
    """A kind, what was planted of it, and the cell that holds it."""
    kind, context, template = draw(st.sampled_from(PLANTED))
    text, values = plants.filled(template, draw(st.integers(0, 10_000)))
    if context in {"output", "text"}:
        # What is found because it stands alone has to stand alone.
        ways = ["plain", "coloured"] if kind == "opaque" else sorted(SPELLINGS)
        spelling = draw(st.sampled_from(ways))
        # A tag inside of a tag is none, and some lines of a table are no sentence.
        if "<" not in text or spelling not in {"highlighted", "HTML"}:
            text = SPELLINGS[spelling](text)
    cell = draw(st.sampled_from(PLACES[context]))(text)
    return kind, values, cell


@given(planted(), WORDS, WORDS)
@settings(max_examples=scaled(300, 50_000), deadline=None)
def test_what_is_planted_is_found(plant, before, after):
    """In its cell, and no find shows any of it."""
    _, values, cell = plant

    found = found_in(around(cell, before, after))

    assert found, cell
    assert {each.cell for each in found} == {3}, found
    for each in found:
        shown_of_it = f"{each}{each!r}{each.as_dict()}"
        assert not any(value in shown_of_it for value in values if len(value) > 5)


@given(st.sampled_from(LOOKALIKES), st.integers(0, 10_000), WORDS, WORDS, st.randoms())
@settings(max_examples=scaled(200, 50_000), deadline=None)
def test_where_nothing_is_planted_nothing_is_found(
    example, seed, before, after, chance
):
    """Lookalikes, among words."""
    _, context, template = example
    text, _ = plants.filled(template, seed)
    cell = chance.choice(PLACES[context])(text)

    assert found_in(around(cell, before, after)) == []


@given(
    st.text(min_size=12, max_size=60).filter(lambda text: len(set(text)) > 6),
    st.sampled_from(sorted(SPELLINGS)),
    WORDS,
)
@settings(max_examples=scaled(100, 20_000), deadline=None)
def test_a_known_value_is_found_in_any_spelling(value, spelling, before):
    """Any text at all, told to the scanner."""
    # What folding takes away does not count for the length.
    if not value.isprintable() or len(fold(value)) < 12:
        value = "".join(filter(str.isalnum, value)) + "canary-7f3a"
    cell = code("", stream(f"{before} {SPELLINGS[spelling](value)} end"))

    found = found_in(notebook(cell), value)

    assert "known-value" in [each.kind for each in found]
    assert not any(value in str(each) for each in found)


@given(st.text(max_size=300), st.sampled_from(sorted(PLACES)))
@settings(max_examples=scaled(100, 50_000), deadline=None)
def test_no_text_is_too_strange(text, context):
    """Whatever it is, it is read."""
    found_in(notebook(PLACES[context][0](text)), "canary-7f3a9-canary")


MEMBERS = """cells source outputs data text metadata attachments widgets tags state
traceback worksheets input value nbformat"""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(MEMBERS.split()),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(JSON)
@settings(max_examples=scaled(100, 50_000), deadline=None)
def test_no_structure_is_too_strange(value):
    """A notebook of any shape is read, or refused with a reason."""
    book = {"nbformat": 4, "cells": [value, {"outputs": [value]}], "metadata": value}
    with contextlib.suppress(Damaged):
        found_in(book)


@pytest.mark.parametrize("kind", sorted(plants.KINDS))
def test_a_password_widget_beside_it_hides_nothing(kind):
    """Two finds in one notebook are two finds."""
    name, context, template = next(each for each in PLANTED if each[0] == kind)
    text, _ = plants.filled(template, 3)
    value = plants.password(Random(4))  # noqa: S311 - reproducible
    book = notebook(
        PLACES[context][0](text), widgets=widgets(PasswordModel={"value": value})
    )

    found = found_in(book)

    assert {each.cell for each in found} == {1, None}
    assert name
    assert value not in str(found)
