from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

import oauthmagic
from oauthmagic.providers.endpoints import Endpoint, Endpoints, endpoint
from oauthmagic.sandbox import paysafe_routes, revsto, stet_bank


def one(line, *scopes):
    """Return an endpoint from `GET /path`, with sets of scopes."""
    method, _, path = line.partition(" ")
    sets = tuple(frozenset(each.split()) for each in scopes)
    return Endpoint(method=method, path=path, scopes=sets)


CATALOGUE = Endpoints(
    map(
        one,
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
    asked = one("GET /x", *scopes)

    assert asked.missing(held) == missing
    assert asked.needs == needs


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
    twice = Endpoints([one("GET /a", "one"), one("GET /a", "two")])

    assert len(twice) == 1
    assert twice[0].needs == "one"


@given(st.text("a{}/-.", max_size=30), st.text("a/-.", max_size=30))
def test_any_template_can_be_matched(template, path):
    """Whatever a description calls a path: no error, and itself without variables."""
    known = Endpoints([one(f"GET /{template}")])

    known.match("GET", path)
    list(known.beginning("", path))
    if "{" not in template:
        assert known.match("GET", f"/{template}") is not None


def test_a_hostile_template_takes_no_time():
    """Many variables in one segment are read once from left to right."""
    hostile = Endpoints([one("GET /" + "{a}x" * 500 + "y")])
    begun = time.perf_counter()

    assert hostile.match("GET", "/" + "zx" * 20_000) is None
    assert time.perf_counter() - begun < 1


def test_a_line_describes_an_endpoint():
    """As a provider in Python writes it."""
    asked = endpoint("GET /users/{id}/accounts?limit&offset", "List", "a b", "c")

    assert (asked.method, asked.path) == ("GET", "/users/{id}/accounts")
    assert asked.needs == "a + b or c"
    assert asked.parameter_names("path") == ["id"]
    assert asked.parameter_names("query") == ["limit", "offset"]


def simulated(provider):
    """Return the routes of a simulator: method, path with bare variables, scopes."""
    if provider == "revsto":
        rows = [
            (method, f"/distributor/v1{path}", [scope])
            for method, path, _, scope in revsto._ROUTES
        ]
    elif provider == "stet":
        rows = [(method, path, scopes) for method, path, _, scopes in stet_bank._ROUTES]
    else:
        wallets = paysafe_routes.WALLETS
        rows = [(method, f"/v1{path}", []) for method, path, _ in wallets]
    return {
        (method, re.sub("<[^>]*>", "{}", path), frozenset(scopes))
        for method, path, scopes in rows
    }


@pytest.mark.parametrize("name", ["revsto", "stet", "paysafe"])
def test_the_built_in_catalogues_are_what_the_simulators_answer(name):
    """Each route, with its scopes; and every scope is one of the provider's."""
    provider = oauthmagic.Session().provider(name)

    assert simulated(name) == {
        (
            each.method,
            re.sub(r"\{[^}]*\}", "{}", each.path),
            frozenset().union(*each.scopes),
        )
        for each in provider.endpoints
    }
    assert all(each.summary for each in provider.endpoints)
    needed = frozenset().union(*(s for each in provider.endpoints for s in each.scopes))
    assert needed <= set(provider.scopes)
