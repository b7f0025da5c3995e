"""Fills in the examples of tests/scan/kinds.toml, so that no file holds a secret.

    filled("Bearer «opaque»", 1)

gives the text and the values that were put into it.
"""

from __future__ import annotations

import base64
import json
import re
import string
import tomllib
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS = tomllib.loads(
    (Path(__file__).parents[1] / "scan" / "kinds.toml").read_text(encoding="utf-8")
)
CONTEXTS = ("text", "code", "commands", "output")
_HOLE = re.compile("«([^»]+)»")
_ALPHABETS = {
    "word": string.ascii_letters + string.digits,
    "wide": string.ascii_letters + string.digits + "-_",
    "hex": "0123456789abcdef",
    "upper": string.ascii_uppercase + "234567",
    "digits": string.digits,
    "base64": string.ascii_letters + string.digits + "+/",
}
#: Passwords have signs that neither a shell nor JSON nor a URL gives a meaning.
_SIGNS = "!_-.+~"


def examples(which: str) -> list[tuple[str, str, str]]:
    """Return kind, context and template of every example.

    Args:
        which: `planted` or `lookalikes`.
    """
    found = []
    for kind, table in KINDS.items():
        listed = table if which == "planted" else table["lookalikes"]
        for context in CONTEXTS:
            found += [(kind, context, each) for each in listed.get(context, [])]
    return found


def filled(template: str, seed: int) -> tuple[str, list[str]]:
    """Return a template with its holes filled, and what was put into them."""
    randomness = Random(seed)  # noqa: S311 - reproducible
    values: list[str] = []

    def fill(hole: re.Match[str]) -> str:
        value = _value(hole[1], randomness)
        values.append(value)
        return value

    return _HOLE.sub(fill, template), values


def characters(alphabet: str, size: int, randomness: Random) -> str:
    """Return random characters, letters and digits among them."""
    known = _ALPHABETS[alphabet]
    first = "a7" if alphabet == "hex" else "Q7" if alphabet == "upper" else "Qa7"
    while True:
        text = "".join(randomness.choice(known) for _ in range(size))
        # What begins or ends with a sign may be cut where it stands in a sentence.
        is_plain = text[0].isalnum() and text[-1].isalnum()
        if alphabet in {"digits", "base64"} or (is_plain and _is_mixed(text, first)):
            return text


def _is_mixed(text: str, first: str) -> bool:
    digits = sum(map(str.isdigit, text))
    has_letters = "a" not in first or any(map(str.islower, text))
    return has_letters and (digits > 1 or len(text) < 10)


def _value(name: str, randomness: Random) -> str:
    if made := _MADE.get(name):
        return made(randomness)
    alphabet, _, size = name.partition(" ")
    return characters(alphabet, int(size), randomness)


def _opaque(randomness: Random) -> str:
    return characters("wide", randomness.randint(24, 60), randomness)


def _mixed(size: int, randomness: Random) -> str:
    while True:
        text = characters("word", size, randomness)
        if sum(map(str.isdigit, text)) > 3 and len(set(text)) > 22:
            return text


def password(randomness: Random) -> str:
    """Return what a person might have chosen with care."""
    word = characters("word", randomness.randint(7, 14), randomness)
    return f"{word}{randomness.choice(_SIGNS)}{randomness.randint(10, 99)}"


def _jwt(randomness: Random) -> str:
    header = _url_safe(b'{"alg":"ES256","typ":"JWT"}')
    claims = _url_safe(json.dumps({"sub": characters("word", 9, randomness)}).encode())
    return f"{header}.{claims}.{characters('wide', 86, randomness)}"


def _basic(randomness: Random) -> str:
    return base64.b64encode(f"client-7:{password(randomness)}".encode()).decode()


def _uuid(randomness: Random) -> str:
    digits = characters("hex", 32, randomness)
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _pem(end: str, randomness: Random) -> str:
    lines = [characters("base64", 64, randomness) for _ in range(3)]
    return end.join(
        ["-----BEGIN PRIVATE KEY-----", *lines, "-----END PRIVATE KEY-----", ""]
    )


_MADE: dict[str, Callable[[Random], str]] = {
    "opaque": _opaque,
    "mixed 43": partial(_mixed, 43),
    "mixed 64": partial(_mixed, 64),
    "password": password,
    "jwt": _jwt,
    "basic": _basic,
    "uuid": _uuid,
    "pem": partial(_pem, "\n"),
    "pem, JSON": partial(_pem, "\\n"),
}


def _url_safe(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")
