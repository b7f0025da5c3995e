"""Wherever a secret stands in a notebook, it is found there, and the place is named."""

from __future__ import annotations

import base64
import json

import pytest
from books import code, failed, notebook, prose, shown, stream, widgets

from oauthmagic.errors import UnreadableFile
from oauthmagic.redaction import Secret
from oauthmagic.scan import scan_file, scan_paths

TOKEN = "f4k3-T0k3n-0f-n0b0dy-9x8w7v6u5t"
LABELLED = f"access_token = '{TOKEN}'"
PASSWORD = "Canary-pw-93"
ROWS = f"<table><tr><th>access_token</th><td>{TOKEN}</td></tr></table>"


def encoded(text):
    """Return a text in base64."""
    return base64.b64encode(text.encode()).decode()


PLACES = {
    "cell 1, source, line 2": notebook(code(f"x = 1\n{LABELLED}")),
    "cell 2, source, line 1": notebook(prose("# a"), prose(f"`{LABELLED}`")),
    "cell 1, output 1, line 3": notebook(code("", stream(f"a\nb\n{LABELLED}\n"))),
    "cell 1, output 2 (text/html), line 1": notebook(
        code("", stream("a"), shown(text_html=ROWS))
    ),
    "cell 1, output 1 (application/json), line 3": notebook(
        code("", shown(application_json={"a": {"access_token": TOKEN}}))
    ),
    "cell 1, output 1 (application/vnd.vegalite.v5+json), line 2": notebook(
        code("", shown(**{"application_vnd.vegalite.v5+json": {"access_token": TOKEN}}))
    ),
    "cell 1, output 1 (text/latex), line 1": notebook(
        code("", shown(text_latex=rf"\text{{access\_token: {TOKEN}, Bearer {TOKEN}}}"))
    ),
    "cell 1, output 1 (image/svg+xml), line 1": notebook(
        code("", shown(**{"image_svg+xml": f"<svg><text>{LABELLED}</text></svg>"}))
    ),
    "cell 1, output 1 (application/pdf), line 1": notebook(
        code("", shown(application_pdf=encoded(f"%PDF-1.7 {LABELLED} %%EOF")))
    ),
    "cell 1, output 1, line 4": notebook(
        code(
            "",
            failed(
                "Traceback",
                f"\x1b[31maccess_token\x1b[0m='{TOKEN[:9]}\x1b[1m{TOKEN[9:]}\x1b[0m'",
            ),
        )
    ),
    "cell 1, output 1, metadata, line 3": notebook(
        code("", {**stream(""), "metadata": {"a": {"access_token": TOKEN}}})
    ),
    "cell 1, attachment 1 (image/png), line 1": notebook(
        prose(
            "![a](attachment:a.png)",
            attachments={"a.png": {"image/png": encoded(LABELLED)}},
        )
    ),
    "cell 1, attachment 1, line 1": notebook(
        prose("", attachments={"a.txt": {"text/plain": encoded(LABELLED)}})
    ),
    "cell 1, metadata, line 3": notebook(code("", note={"access_token": TOKEN})),
    "metadata, line 3": notebook(code(""), papermill={"access_token": TOKEN}),
    "widget 1 (HTMLModel), line 1": notebook(
        widgets=widgets(HTMLModel={"value": ROWS})
    ),
    "widget 1 (TextModel), line 1": notebook(
        widgets=widgets(TextModel={"value": TOKEN, "description": "Access token:"})
    ),
    "widget 1 (PasswordModel), line 1": notebook(
        widgets=widgets(PasswordModel={"value": TOKEN, "description": "x"})
    ),
}


@pytest.fixture
def saved(tmp_path):
    """Return a function that saves a notebook."""

    def save(book, name="a.ipynb"):
        path = tmp_path / name
        text = book if isinstance(book, str) else json.dumps(book, indent=1)
        path.write_text(text, encoding="utf-8")
        return path

    return save


@pytest.mark.parametrize("place", PLACES)
def test_the_place_is_named(place, saved):
    """Cell, part and line, as a reader would look for it; and no value."""
    path = saved(PLACES[place])

    found = scan_file(path)

    assert [each.place.removeprefix(f"{path}:") for each in found] == [place]
    assert TOKEN not in str(found)
    assert TOKEN not in repr(found)
    assert not any(TOKEN in str(value) for value in found[0].as_dict().values())


@pytest.mark.parametrize("place", PLACES)
def test_sources_may_be_lists_of_lines(place, saved):
    """As Jupyter writes them."""

    def as_lines(value):
        if isinstance(value, dict):
            return {
                key: item.splitlines(keepends=True)
                if key in {"source", "text"} and isinstance(item, str)
                else as_lines(item)
                for key, item in value.items()
            }
        return [as_lines(each) for each in value] if isinstance(value, list) else value

    assert len(scan_file(saved(as_lines(PLACES[place])))) == 1


def test_format_3_is_read(saved):
    """Worksheets, `input`, `pyout` with its types beside each other, `pyerr`."""
    cells = [
        {"cell_type": "code", "input": [LABELLED], "outputs": [], "language": "python"},
        {
            "cell_type": "code",
            "input": "",
            "outputs": [
                {"output_type": "pyout", "html": [ROWS], "prompt_number": 1},
                {
                    "output_type": "pyerr",
                    "ename": "E",
                    "evalue": "",
                    "traceback": [LABELLED],
                },
                {"output_type": "stream", "stream": "stdout", "text": [LABELLED]},
            ],
        },
        {"cell_type": "heading", "level": 1, "source": LABELLED},
    ]
    book = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {},
        "worksheets": [{"cells": cells, "metadata": {}}],
    }

    places = [each.place.partition(":")[2] for each in scan_file(saved(book))]

    assert [place.rpartition(",")[0] for place in places] == [
        "cell 1, source",
        "cell 2, output 1",
        "cell 2, output 2",
        "cell 2, output 3",
        "cell 3, source",
    ]


def test_one_value_is_named_once_in_an_output(saved):
    """However many MIME types repeat it; the fingerprint tells equal values."""
    both = shown(text_plain=f"{{'access_token': '{TOKEN}'}}", text_html=ROWS)

    first, second = scan_file(saved(notebook(code("", both), code("", both))))

    assert (first.cell, second.cell) == (1, 2)
    assert first.fingerprint == second.fingerprint
    assert len(first.fingerprint) == 8


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ('{"nbformat": 4, "cells": [', "not JSON"),
        ('{"nbformat": 2}', "neither 3 nor 4"),
        ('{"nbformat": "4"}', "neither 3 nor 4"),
        ('{"nbformat": 4, "metadata": {}}', "no cells"),
        ('{"nbformat": 4, "cells": {}}', "should be a list"),
        ('{"nbformat": 4, "cells": [7]}', "should be an object"),
        ('{"nbformat": 4, "cells": [{"source": 7}]}', "is no text"),
        ('{"nbformat": 4, "cells": [{"source": ["a", 7]}]}', "is no text"),
        (
            '{"nbformat": 4, "cells": [{"outputs": [{"data": 7}]}]}',
            "should be an object",
        ),
        ('{"nbformat": 4, "cells": [{"outputs": {"a": 1}}]}', "should be a list"),
        ('{"nbformat": 4, "cells": [], "cells": []}', "two members of one name"),
        ('{"nbformat": 4, "cells": [], "metadata": {"a": ' + "[" * 99999, "too deep"),
        (
            '{"nbformat": 4, "cells": [], "metadata": {"widgets": 7}}',
            "should be an object",
        ),
    ],
    ids=str,
)
def test_a_damaged_notebook_is_an_error(text, why, saved):
    """Never a file without finds: what was not understood was not searched."""
    with pytest.raises(UnreadableFile, match="was not read whole") as raised:
        scan_file(saved(text))

    assert why in str(raised.value)
    assert raised.value.hint


def test_what_is_left_of_a_damaged_notebook_is_searched(saved):
    """A merge that went wrong: its marks are no JSON, the token is there."""
    path = saved("<<<<<<< HEAD\n" + json.dumps({"source": [LABELLED]}) + "\n=======\n")

    scan = scan_paths([path])

    assert len(scan.errors) == 1
    assert [each.place for each in scan.findings] == [f"{path}:line 2"]


def test_empty_parts_are_no_damage(saved):
    """What other programs leave out or leave empty."""
    cells = [
        {"cell_type": "code", "source": [], "outputs": None, "attachments": None},
        {"cell_type": "code"},
        {"cell_type": "raw", "source": ""},
    ]

    assert scan_file(saved({"nbformat": 4, "cells": cells})) == []


def test_a_line_can_say_that_a_find_is_accepted(saved):
    """On that line only; it is counted."""
    path = saved(
        notebook(code(f"{LABELLED}  # oauthmagic: allow\npassword = '{PASSWORD}'"))
    )

    scan = scan_paths([path])

    assert [(each.line, each.kind) for each in scan.findings] == [(2, "password")]
    assert scan.allowed == 1


def test_a_tag_accepts_all_of_a_cell(saved):
    """Its source, its outputs and its attachments; no other cell."""
    tagged = code(LABELLED, stream(LABELLED), tags=["oauthmagic-allow"])

    scan = scan_paths([saved(notebook(tagged, code(LABELLED)))])

    assert [each.cell for each in scan.findings] == [2]
    assert scan.allowed == 2


def test_what_is_valid_now_is_never_accepted(saved):
    """Neither by a comment nor by a tag: it is no example."""
    book = notebook(
        code(f"'{PASSWORD}' # oauthmagic: allow", tags=["oauthmagic-allow"])
    )

    scan = scan_paths([saved(book)], known=[Secret(PASSWORD)])

    assert [each.kind for each in scan.findings] == ["known-value"]


def test_a_cell_for_another_program_is_no_python(saved):
    """`%%bash` and `%%writefile` assign without quotes; Python names a variable."""
    line = f"CLIENT_SECRET={TOKEN}"

    found = scan_file(
        saved(
            notebook(
                code(f"%%bash\n{line}"),
                code(f"%%writefile .env\n{line}"),
                code(f"f({line.replace('-', '_')})"),
                code(f"!export {line}"),
            )
        )
    )

    assert [each.cell for each in found] == [1, 2, 4]


def test_a_kernel_of_a_shell_assigns_without_quotes(saved):
    """There, every code cell is a script."""
    book = notebook(code(f"CLIENT_SECRET={TOKEN}"), kernelspec={"language": "bash"})

    assert len(scan_file(saved(book))) == 1
