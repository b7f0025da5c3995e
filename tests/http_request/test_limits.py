"""How long a text may be, and how long it takes to read one."""

from __future__ import annotations

from contextlib import suppress
from time import process_time

import pytest

from oauthmagic.errors import OAuthMagicError, RequestSyntaxError
from oauthmagic.http_request import parse
from oauthmagic.http_request.parser import MOST_CHARACTERS, MOST_REQUESTS
from oauthmagic.http_request.variables import MOST_VARIABLES

FORM = "Content-Type: application/x-www-form-urlencoded"

MEASUREMENTS = 3
#: What to begin with, what to repeat (`{i}` counts), how often at first.
REPEATED = {
    "references in a path": ("GET /", "{{a}}", 10_000),
    "references in a body": ("POST /\n\n", "{{a}} \n", 10_000),
    "references in a form": (f"POST /\n{FORM}\n\n", "&a={{a}}\n", 10_000),
    "references in JSON": ("POST /\n\n{", '"{{a}}",', 10_000),
    "constants for a host": ("@a = x\nGET ", "{{a}}", 10_000),
    "constants for no host": ("@a = /\nGET x", "{{a}}", 10_000),
    "constants for a long path": ("@a = /x\nGET ", "{{a}}", 10_000),
    "lines of a target": ("GET /?a\n", "&b={{a}}\n", 10_000),
    "lines without references": ("GET /?a\n", "&b\n", 20_000),
    "headers": ("GET /", "\nX-A: {{a}}", 10_000),
    "comments": ("GET /", "\n# a", 20_000),
    "sections without requests": ("GET /\n", "###\n# @name a\n", 10_000),
    "named requests": ("", "###\n# @name a{i}\nGET /\n", 500),
    "variables and requests": ("", "###\n@a = {i}\nGET /{{a}}\n", 500),
    "a variable that grows": ("@a = 1", "\n###\n@a = {{a}}x\nGET /{{a}}", 400),
    "one that means the notebook's": ("", "###\n@b = {{a}}x\nGET /{{b}}\n", 500),
    "braces that are not closed": ("GET /", "{{", 50_000),
    "blanks": ("GET", " ", 100_000),
    "blank lines": ("", "\n", 50_000),
    "quotes": ("POST /\n\n{", '"', 100_000),
    "versions": ("GET /", " HTTP/", 20_000),
}


@pytest.mark.parametrize(
    ("begin", "piece", "times"), REPEATED.values(), ids=REPEATED.keys()
)
def test_four_times_the_text_takes_four_times_the_time(fill_all, begin, piece, times):
    """Nothing is copied or searched again for each line, reference or request."""

    def seconds(times):
        text = begin + "".join(piece.replace("{i}", str(i)) for i in range(times))
        fastest = float("inf")
        for _ in range(2):
            before = process_time()
            with suppress(OAuthMagicError):
                fill_all(text, a=1)
            fastest = min(fastest, process_time() - before)
        return fastest

    # Quadratic growth would take 16 times as long. Some milliseconds say nothing
    # about growth, nor does one measurement on a busy machine.
    assert any(
        seconds(2 * times) < 9 * seconds(times // 2) + 0.05 for _ in range(MEASUREMENTS)
    )


def test_a_text_of_more_than_a_mebibyte_is_refused():
    """The sentence says where long bodies go."""
    text = "POST /a\n\n"
    (request,) = parse(text + "x" * (MOST_CHARACTERS - len(text)))

    assert request.method == "POST"
    with pytest.raises(RequestSyntaxError, match="than 1,048,576 chara") as refused:
        parse(text + "x" * MOST_CHARACTERS)
    assert "< ./file" in refused.value.hint


def test_the_requests_of_a_text_are_counted():
    """The first that is too many is named by its line."""
    text = "GET /a\n###\n" * MOST_REQUESTS

    assert len(parse(text)) == MOST_REQUESTS
    with pytest.raises(RequestSyntaxError, match="Line 2001 begins request number"):
        parse(f"{text}GET /a")


def test_the_variables_of_a_text_are_counted(fill):
    """Each may stand for a long text, so that many of them would fill the memory."""
    lines = [f"@a{i} = {i}" for i in range(MOST_VARIABLES)]

    assert fill("\n".join([*lines, "GET /{{a999}}"])).target == "/999"
    with pytest.raises(RequestSyntaxError, match="Line 1001 defines variable number"):
        parse("\n".join([*lines, "@b = 1", "GET /"]))


def test_a_host_of_many_constants_is_refused():
    """Before it is put together."""
    host = "@a = " + "a" * 1000 + "\nGET https://" + "{{a}}" * 50_000

    with pytest.raises(RequestSyntaxError, match="host in line 2 has more than"):
        parse(host)


def test_variables_do_not_double_without_end(fill):
    """A few short lines cannot stand for a text that fills the memory."""
    lines = ["@a0 = {{seed}}"]
    lines += [f"@a{i} = {{{{a{i - 1}}}}}{{{{a{i - 1}}}}}" for i in range(1, 40)]
    text = "\n".join([*lines, "POST /a", "", "{{a39}}"])

    with pytest.raises(RequestSyntaxError, match="more than 65536 characters"):
        fill(text, seed="x")
    with pytest.raises(RequestSyntaxError, match="more than 65536 characters"):
        parse(text.replace("{{seed}}", "x"))


def test_a_long_chain_of_variables_costs_its_length(fill):
    """No recursion: a chain may be as long as Python's stack."""
    lines = ["@a0 = {{x}}", *(f"@a{i} = {{{{a{i - 1}}}}}" for i in range(1, 1000))]
    text = "\n".join([*lines, "GET /{{a999}}"])

    assert fill(text, x=7).target == "/7"
    assert repr(parse(text)) == repr(parse(text))
    assert parse(text) == parse(text)
