"""The given things of a request: a namespace, a clock, identifiers and files."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING

import pytest

from oauthmagic.http_request import parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from oauthmagic.http_request import HttpRequest

NOW = datetime(2026, 3, 1, 12, 30, 15, 250_000, tzinfo=UTC)
FILES = {"./order.json": b'{"product": "235"}'}


def _read_file(name: str) -> bytes:
    if name not in FILES:
        raise FileNotFoundError(2, "No such file or directory", name)
    return FILES[name]


# For the session, because hypothesis wants nothing that is made anew for each example.
@pytest.fixture(scope="session")
def fill_all() -> Callable[..., list[HttpRequest]]:
    """Return a function that parses a text and fills in the values given by name."""

    def _fill_all(text: str, **namespace: object) -> list[HttpRequest]:
        numbers = count(1)
        return [
            template.fill(
                namespace.__getitem__,
                now=NOW,
                guid=lambda: f"guid-{next(numbers)}",
                files=_read_file,
                known_names=namespace,
            )
            for template in parse(text)
        ]

    return _fill_all


@pytest.fixture(scope="session")
def fill(fill_all) -> Callable[..., HttpRequest]:
    """Return the same for a text of one request."""

    def _fill(text: str, **namespace: object) -> HttpRequest:
        (request,) = fill_all(text, **namespace)
        return request

    return _fill
