"""Tests notice a change, whatever is changed in what secrets depend on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from mutation.mutants import mutants_of
from mutation.patterns import variations
from scales import SOAK

ROOT = Path(__file__).parents[2]
# Of each module; `make soak` and `make mutants` take all of them.
SAMPLE = 8


def test_the_declared_tests_notice_changes_of_their_module(figure):
    """At least nine of ten; the same sample until a module changes."""
    done = subprocess.run(
        [sys.executable, "-m", "mutation", *([] if SOAK else [f"--sample={SAMPLE}"])],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests" / "support")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    for line in done.stdout.splitlines():
        what, _, came_out = line.partition(": ")
        figure(f"mutants: {what}", came_out)


@pytest.mark.parametrize(
    ("source", "changed"),
    [
        ("x = a < b", ["x = a <= b"]),
        ("x = a in b is c", ["x = a not in b is c", "x = a in b is not c"]),
        ("x = a and b", ["x = a or b", "x = b", "x = a"]),
        ("x = not a", ["x = a"]),
        ("x = a + b", ["x = a - b"]),
        ("x += a", ["x -= a", "pass"]),
        ("x = a if b else c", ["x = c if b else a"]),
        ("if a:\n    b = c", ["if not a:\n    b = c", "if False:\n    b = c"]),
        ("x = True", ["x = False"]),
        ("x = 5", ["x = 6", "x = 4"]),
        ("x = 'a'", ["x = ''"]),
        ("x = f'a{b}'", ["x = ''"]),
        ("def f():\n    return a", ["def f():\n    return None"]),
        ("x = lambda: a", ["x = lambda: None"]),
        ("f(a, b)", ["pass", "f(b, a)"]),
        ("x = f(a, b=c)", ["x = f(a)"]),
        ("x = a[b:c]", ["x = a[:c]", "x = a[b:]"]),
        ("a.b = c", ["pass"]),
        ("raise A from b", ["pass", "raise A"]),
        ("for a in b:\n    break", ["for a in b:\n    continue"]),
        ("x = [a for a in b if c]", ["x = [a for a in b]"]),
        (
            "try:\n    a = b\nexcept (C, D):\n    a = c",
            ["try:\n    a = b\nexcept (D,):\n    a = c",
             "try:\n    a = b\nexcept (C,):\n    a = c"],
        ),
        ("with a:\n    b = c", ["if True:\n    b = c"]),
        ("x = a.match", ["x = a.fullmatch"]),
        ("x = re.compile('a*')", ["x = re.compile('a+')"]),
        ("'''Docstring.'''\nimport a\nx: 1", []),
        ("if sys.platform == 'a':\n    b = 1", []),
    ],
)  # fmt: skip
def test_a_mutant_is_one_change_in_one_place(source, changed):
    """Each kind of change, and all that it gives."""
    assert [mutant.source() for mutant in mutants_of(source)] == changed


def test_a_mutant_has_a_name_of_its_own():
    """The function, what was there and is there now, and which of several."""
    source = "class A:\n    def b(self):\n        return 1 < 1"

    names = [str(mutant) for mutant in mutants_of(source)]

    assert names == [
        "A.b: return 1 < 1 -> return None",
        "A.b: 1 < 1 -> 1 <= 1",
        "A.b: 1 -> 2",
        "A.b: 1 -> 0",
        "A.b: 1 -> 2 (2)",
        "A.b: 1 -> 0 (2)",
    ]


@pytest.mark.parametrize(
    ("pattern", "changed"),
    [
        ("[a-c_]", ["[^a-c_]", "[_]", "[b-c_]", "[a-b_]", "[a-c]"]),
        (r"\d\b", [r"\D\b", r"\d"]),
        ("a+b*+c?", ["a*b*+c?", "a+b++c?", "a+b*+c"]),
        ("a{2,3}", ["a{1,3}", "a{3,3}", "a{2,2}", "a{2,4}"]),
        ("(?:a|b|c)d", ["(?:b|c)d", "(?:a|c)d", "(?:a|b)d"]),
        ("(?<!a)b$", ["b$", "(?<!a)b"]),
    ],
)
def test_a_changed_pattern_lets_more_or_less_through(pattern, changed):
    """Members, ranges, bounds, alternatives, anchors and looks around."""
    assert variations(pattern) == changed
