"""Large files and hostile texts: time in proportion, memory bounded."""

from __future__ import annotations

import base64
import json
import random
import subprocess
import sys
import time

import plants
import pytest
from books import code, notebook, shown, stream
from scales import scaled

from oauthmagic.redaction import Secret
from oauthmagic.scan import scan_file
from oauthmagic.scan.files import search_for
from oauthmagic.scan.judges import Context
from oauthmagic.scan.kinds import KINDS
from oauthmagic.scan.labels import LABELS
from oauthmagic.scan.texts import OVERLAP, PIECE, hits_in

SEARCH = search_for([], b"key of the tests")
TOLD = search_for([Secret("canary-7f3a9-canary-7f3a9"), Secret("hunter2x")], b"key")
TOKEN = "f4k3-T0k3n-0f-n0b0dy-9x8w7v6u5t"
MEGABYTE = 1 << 20
#: What a pattern may stumble over, again and again.
AFTER = ("", " ", "=", ": ", '": "', "  ", "\t", "=x&", " = '", "(", " -", ".", "\\")
UNITS = [
    *(
        " ",
        "\t",
        "\n",
        "\\",
        '"',
        "'",
        "%25",
        "&amp;",
        "<",
        "<td>",
        " </td",
        "\x1b[",
        "{",
    ),
    *(
        "eyJ",
        "eyJabcdefgh.",
        "a.",
        "://",
        "://a:bcd@",
        "=",
        "-----BEGIN PRIVATE KEY-----",
    ),
    *(
        "--",
        "a:",
        "[?&",
        "\\u00",
        "b64" * 20,
        "\\x",
        "</tr>",
        "|",
        ",",
        "aA1",
        "é",
        "İ",
    ),
    *(cue + end for kind in KINDS for cue in kind.cues if cue for end in AFTER),
    *(label.cue + end for label in LABELS for end in AFTER),
    *("--" + label.cue + end for label in LABELS for end in AFTER),
]


def seconds(text, search):
    """Return how long a text takes, the better of two."""
    best = 1e9
    for _ in range(2):
        start = time.process_time()
        hits_in(text, Context.OUTPUT, search)
        best = min(best, time.process_time() - start)
    return best


def test_hostile_texts_take_time_in_proportion(figure):
    """Four times the text takes about four times as long, not sixteen."""
    size = scaled(1 << 10, 1 << 12)
    worst = 0.0
    for unit in UNITS[:: scaled(7, 1)]:
        small = (unit * size)[:size]
        large = (unit * size * 4)[: 4 * size]
        before, after = seconds(small, SEARCH), seconds(large, SEARCH)
        worst = max(worst, after / (4 * size) * MEGABYTE)
        # Too short a time cannot be measured.
        assert after < 10 * before + 0.1, unit
    figure("hostile texts, seconds of CPU for 1 MB: the worst", f"{worst:.1f}")


@pytest.mark.soak
def test_examples_over_and_over_take_time_in_proportion():
    """So do texts that are full of finds."""
    for _, _, template in plants.examples("planted"):
        unit = plants.filled(template, 1)[0]
        before = seconds((unit * 1024)[: 1 << 14], SEARCH)
        after = seconds((unit * 4096)[: 1 << 16], SEARCH)
        assert after < 10 * before + 0.1, unit


def random_table(megabytes):
    """Return rows of HTML of random numbers."""
    chance = random.Random(1)  # noqa: S311 - reproducible
    cells = "".join(f"<td>{chance.random()}</td>" for _ in range(9))
    row = f"<tr>\n<th>1</th>\n{cells}\n</tr>\n"
    return row * (megabytes * MEGABYTE // len(row))


def test_a_notebook_of_20_mb_takes_seconds(tmp_path, figure):
    """Images, a table, a log and a frame as JSON; the find at the end is found."""
    chance = random.Random(1)  # noqa: S311 - reproducible
    image = base64.b64encode(chance.randbytes(MEGABYTE)).decode()
    rows = [{"id": at, "name": "x" * 50, "key": "a"} for at in range(20_000)]
    book = notebook(
        *(code("plot()", shown(image_png=image)) for _ in range(10)),
        code("frame", shown(text_html=random_table(3))),
        code("log", stream("2030-01-01 INFO all is well\n" * 80_000)),
        code("rows", shown(application_json=rows)),
        code("last", stream(f"access_token = '{TOKEN}'")),
    )
    path = tmp_path / "large.ipynb"
    path.write_text(json.dumps(book), encoding="utf-8")
    size = path.stat().st_size / MEGABYTE
    start = time.process_time()

    found = scan_file(path)

    taken = time.process_time() - start
    figure(f"a notebook of {size:.0f} MB: seconds of CPU", f"{taken:.1f}")
    assert size > 18
    assert [each.cell for each in found] == [14]
    assert taken < 30


# Not `ru_maxrss`: that begins with the peak of the process that started this one.
PEAK = """
import re, sys
from oauthmagic.scan import scan_paths
assert scan_paths(sys.argv[1:]).files == 1
print(re.search("VmHWM: *(.*) kB", open("/proc/self/status").read())[1])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux")
def test_memory_is_bounded_by_the_file(tmp_path, figure):
    """A text is read in pieces, so that its readings are never all there at once."""
    line = "a line of a log &amp; <b>nothing</b> else, 12 times the same\n"

    def peak(megabytes):
        path = tmp_path / f"{megabytes}.txt"
        path.write_text(line * (megabytes * MEGABYTE // len(line)), encoding="utf-8")
        command = [sys.executable, "-c", PEAK, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return int(done.stdout) >> 10

    size = scaled(5, 40)
    more = peak(size) - peak(1)

    figure(f"memory for a text of {size} MB, in MB above 1 MB's", more)
    assert more < 4 * size


@pytest.mark.parametrize("place", [0, 7, 31, OVERLAP // 2])
@pytest.mark.parametrize("search", [SEARCH, TOLD], ids=["nothing told", "told"])
def test_nothing_is_lost_between_two_pieces(place, search):
    """A secret across an end is found, once, with its line."""
    for end in (PIECE, PIECE - OVERLAP // 2):
        before = ("x" * 99 + "\n") * (end // 100)
        before = before[: end - place - 1] + "\n"
        text = f"{before}access_token = '{TOKEN}' \n" + "y y\n" * 20_000

        (hit,) = hits_in(text, Context.OUTPUT, search)

        assert text[hit.start : hit.end] == TOKEN
        assert hit.line == before.count("\n") + 1
