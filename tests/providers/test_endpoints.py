from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthmagic.providers.endpoints import Endpoint, Endpoints


def endpoint(line, *scopes):
    """Return an endpoint from `GET /path`, with sets of scopes."""
    method, _, path = line.partition(" ")
    sets = tuple(frozenset(each.split()) for each in scopes)
    return Endpoint(method=method, path=path, scopes=sets)


CATALOGUE = Endpoints(
    map(
        endpoint,
        [
            "GET /users",
            "GET /users/{id}",
            "GET /users/me",
            "POST /users/{id}/accounts",
            "GET /reports/{year}-{month}.csv",
            "GET /{kind}/me/accounts",
            "GET /users/{id}/accounts",
        ],
    )
)


@pytest.mark.parametrize(
    ("method", "path", "template"),
    [
        ("GET", "/users", "/users"),
        ("GET", "/users/", "/users"),
        ("GET", "/users/1001", "/users/{id}"),
        ("GET", "/users/me", "/users/me"),
        ("POST", "/users/1001/accounts", "/users/{id}/accounts"),
        ("GET", "/reports/2030-01.csv", "/reports/{year}-{month}.csv"),
        ("GET", "/reports/2030-1-2.csv", "/reports/{year}-{month}.csv"),
        # The leftmost segment that is written out decides.
        ("GET", "/users/me/accounts", "/users/{id}/accounts"),
    ],
)
def test_a_path_is_matched_by_segments(method, path, template):
    """What is written out beats a variable, and a variable is one segment."""
    assert CATALOGUE.match(method, path).path == template


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/users"),
        ("GET", "/users/1/2"),
        ("GET", "/users//accounts"),
        ("GET", "/reports/2030.csv"),
        ("GET", "/reports/-01.csv"),
        ("GET", "/reports/2030-.csv"),
        ("GET", "/Users"),
    ],
)
def test_what_is_not_described_matches_nothing(method, path):
    """Another method, a segment more, an empty variable, another case."""
    assert CATALOGUE.match(method, path) is None


@pytest.mark.parametrize(
    ("scopes", "held", "missing", "needs"),
    [
        ([], [], (), ""),
        (["a"], [], ("a",), "a"),
        (["a b"], ["b"], ("a",), "a + b"),
        (["cbpii", "piisp"], ["aisp"], ("cbpii",), "cbpii or piisp"),
        (["cbpii", "piisp"], ["piisp"], (), "cbpii or piisp"),
        (["a b c", "d e"], ["a", "b"], ("c",), "a + b + c or d + e"),
        # An alternative without scopes is open to every token.
        (["a", ""], [], (), "a"),
    ],
)
def test_what_is_missing_is_the_least_that_helps(scopes, held, missing, needs):
    """Of alternatives, the one that lacks least."""
    one = endpoint("GET /x", *scopes)

    assert one.missing(held) == missing
    assert one.needs == needs


def test_a_path_goes_on_from_what_is_typed():
    """Whole segments stay as typed; the rest is the template's."""
    found = [path for path, _ in CATALOGUE.beginning("GET", "/users/1001/a")]

    assert found == ["/users/1001/accounts"]
    assert [path for path, _ in CATALOGUE.beginning("POST", "/")] == [
        "/users/{id}/accounts"
    ]
    assert len(list(CATALOGUE.beginning("", "/"))) == len(CATALOGUE)
    assert list(CATALOGUE.beginning("GET", "/accounts")) == []


def test_the_first_of_two_counts():
    """A method and a path are described once."""
    twice = Endpoints([endpoint("GET /a", "one"), endpoint("GET /a", "two")])

    assert len(twice) == 1
    assert twice[0].needs == "one"


@given(st.text("a{}/-.", max_size=30), st.text("a/-.", max_size=30))
def test_any_template_can_be_matched(template, path):
    """Whatever a description calls a path: no error, and itself without variables."""
    one = Endpoints([endpoint(f"GET /{template}")])

    one.match("GET", path)
    list(one.beginning("", path))
    if "{" not in template:
        assert one.match("GET", f"/{template}") is not None


def test_a_hostile_template_takes_no_time():
    """Many variables in one segment are read once from left to right."""
    hostile = Endpoints([endpoint("GET /" + "{a}x" * 500 + "y")])
    begun = time.perf_counter()

    assert hostile.match("GET", "/" + "zx" * 20_000) is None
    assert time.perf_counter() - begun < 1
