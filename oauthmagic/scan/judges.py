"""Whether a match is a find: the value, and what stands around it."""

from __future__ import annotations

import re
from enum import Enum

from oauthmagic.scan.grammar import value_of, value_span
from oauthmagic.scan.values import (
    basic_password,
    is_bare_password,
    is_opaque,
    is_opaque_alone,
    is_password,
    is_placeholder,
)

# How far around a match is looked.
_NEAR = 1000
_SHORTEST_WITH_SCHEME = 6
_SHORTEST_COOKIE = 12
_LEAST_SIGNS = 12
_LEAST_DISTINCT = 8


class Context(Enum):
    """What a text is, for what stands without quotes in it.

    Attributes:
        CODE: A program: `password = secret` names a variable there.
        COMMANDS: A cell that another program reads: `%%api`, `%%bash`, `%%writefile`.
        OUTPUT: What a program said.
        TEXT: Anything else.
    """

    CODE = "code"
    COMMANDS = "commands"
    OUTPUT = "output"
    TEXT = "text"


_LIST_GOES_ON = re.compile(
    r"(?i)(?:page|next|continuation|sync|[cx]srf)[_-]?tokens?\W{0,12}\Z"
)
_CALLERS = re.compile(r"(?i)\b(?:curl|wget|https?|xh)\b|%(?:oauth_)?(?:token|api)\b")
_SCHEME = re.compile(r"(?i)(?:bearer|basic|dpop|token|digest|negotiate|apikey)[ \t]+")
_KEY_TYPE = re.compile(r"""["']kty["']\s{0,9}+:\s{0,9}+["'](\w{2,9})["']""")
_STATE = re.compile(r"[?&](?:state|session_state|iss)=")
_PASSWORD_FIELD = re.compile(r"(?i)\btype\s?=\s?[\"']?password\b")
_LABEL_START = re.compile(r"[\w.-]{0,40}\Z")
_NAME_ALONE = re.compile(r"""[ \t|"'*`]*+[\w.-]*+(?:[ ][\w.-]++)?""")
# A line of base64, or of PEM, and its neighbour.
_ENCODED_BEFORE = re.compile(r"(?:[A-Za-z0-9+/]{30}|-----)[ \t]*\r?\n\s*\Z")
_ENCODED_AFTER = re.compile(r"\r?\n[ \t]{0,40}+(?:[A-Za-z0-9+/]{30}|-----)")
_WIDEST_LINE = 60
_ESCAPED_BREAK = re.compile(r"\\[nrt]")
_PEM_LINE = re.compile(r"[A-Za-z0-9+/=]{30,}+")


def any_value(found: re.Match[str], _: Context) -> bool:
    """Take any value but a placeholder."""
    return not is_placeholder(value_of(found))


def issued(found: re.Match[str], _: Context) -> bool:
    """Take what has the form of a vendor's key, if it is not filled with `x`."""
    value = value_of(found)
    return len(set(value)) > _LEAST_DISTINCT and not is_placeholder(value)


def token(found: re.Match[str], _: Context) -> bool:
    """Take an opaque value, unless it says where a list goes on."""
    start, _end = value_span(found)
    before = found.string[max(0, start - 40) : start]
    return not _LIST_GOES_ON.search(before) and is_opaque(value_of(found))


def bare_token(found: re.Match[str], context: Context) -> bool:
    """The same without quotes."""
    return _may_be_bare(found, context) and token(found, context)


def password(found: re.Match[str], _: Context) -> bool:
    """Take what was written out in quotes; after a comma, only what is no word."""
    value = value_of(found)
    if found[0].lstrip("\"'`] \t").startswith(","):
        return found[0][:1] in {'"', "'"} and is_bare_password(value)
    return is_password(value)


def bare_password(found: re.Match[str], context: Context) -> bool:
    """The same without quotes; in a table, only in the line that it begins."""
    if not any(
        sign in found[0][: found.start("value") - found.start()] for sign in ":="
    ):
        before = _line_before(found.string, found.start())
        # Of a text in quotes, too.
        if not _NAME_ALONE.fullmatch(before[before.rfind('"') + 1 :]):
            return False
    return _may_be_bare(found, context) and is_bare_password(value_of(found))


def form(found: re.Match[str], context: Context, *, start: int, opaque: bool) -> bool:
    """Take a pair of a form or a query, beside another one or alone in quotes.

    Args:
        found: What comes after the label.
        context: What the text is.
        start: Where the last word of the label begins.
        opaque: Whether only an opaque value counts.
    """
    if opaque and not token(found, context):
        return False
    string, end = found.string, found.end()
    label = _LABEL_START.search(string, max(0, start - 40), start)
    start = label.start() if label else start
    before, after = string[max(0, start - 1) : start], string[end : end + 1]
    is_pair = before in {"?", "&", ";"} or after == "&"
    is_whole = before in {'"', "'", "`"} and after == before
    return (is_pair or is_whole) and is_password(value_of(found))


def option(found: re.Match[str], context: Context, *, start: int, opaque: bool) -> bool:
    """Take what an option is given; on a command's line any word is one.

    Args:
        found: What comes after the option.
        context: What the text is.
        start: Where the last word of the option begins.
        opaque: Whether only an opaque value counts.
    """
    value = value_of(found)
    if value.startswith("-") or (opaque and not is_opaque(value, 12)):
        return False
    line = _line_before(found.string, start).lstrip()
    is_command = line.startswith(("%", "!", "$", ">")) or _CALLERS.search(line)
    if is_command or context is Context.COMMANDS:
        return is_password(value)
    return is_bare_password(value)


def user_option(found: re.Match[str], _: Context) -> bool:
    """Take `-u name:password` of a program that sends it."""
    before = found.string[max(0, found.start() - _NEAR) : found.start()]
    is_number = found["value"].isdigit() and found["user"].isdigit()
    is_sent = _CALLERS.search(before) is not None
    return is_sent and not is_number and is_password(found["value"])


def pair(found: re.Match[str], _: Context) -> bool:
    """Take the second of `auth=("name", "password")`, unless it is a word."""
    return is_bare_password(value_of(found))


def basic(found: re.Match[str], _: Context) -> bool:
    """Take what holds a name and a password (RFC 7617, section 2)."""
    return not is_placeholder(basic_password(found["value"]))


def bearer(found: re.Match[str], _: Context) -> bool:
    """Take an opaque value after `Bearer` (RFC 6750, section 2.1)."""
    return is_opaque(found["value"], 12)


def field(found: re.Match[str], context: Context) -> bool:
    """Take the credentials of a header field, with or without a scheme."""
    value = value_of(found).strip()
    if not _is_field(found, context):
        return False
    scheme = _SCHEME.match(value)
    rest = value[scheme.end() :] if scheme else value
    if re.search(r"\s", rest):
        return False
    if scheme is None or scheme[0].strip().lower() == "basic":
        return is_bare_password(rest)
    return is_password(rest) and len(rest) >= _SHORTEST_WITH_SCHEME


def cookie(found: re.Match[str], context: Context) -> bool:
    """Take a cookie with an opaque value."""
    pairs = (pair.partition("=")[2].strip() for pair in value_of(found).split(";")[:20])
    return _is_field(found, context) and any(
        is_opaque(value, _SHORTEST_COOKIE) for value in pairs
    )


def code(found: re.Match[str], _: Context) -> bool:
    """Take an authorization code, if the URL has a state or the code is long."""
    start, end = found.span()
    around = found.string[max(0, start - _NEAR) : end + _NEAR]
    return is_opaque(found["value"], 8 if _STATE.search(around) else 20)


def private_key(found: re.Match[str], _: Context) -> bool:
    """Take a key that is there; `MII...` is not."""
    lines = _PEM_LINE.findall(_ESCAPED_BREAK.sub(" ", found["value"]))
    return any(len(set(line)) > _LEAST_SIGNS for line in lines)


def private_jwk(found: re.Match[str], _: Context) -> bool:
    """Take the private members of a JWK (RFC 7518, sections 6.2.2, 6.3.2, 6.4.1)."""
    start, end = found.span()
    around = found.string[max(0, start - 3 * _NEAR) : end + 3 * _NEAR]
    kind = _KEY_TYPE.search(around)
    if kind is None or (found["name"] == "k") != (kind[1] == "oct"):
        return False
    return is_opaque(found["value"])


def alone(found: re.Match[str], context: Context) -> bool:
    """Take a line of an output that is nothing but an opaque value.

    Beside another one it is a piece of base64, as certificates and images are.
    """
    if context is not Context.OUTPUT or not is_opaque_alone(found["value"]):
        return False
    string, (start, end) = found.string, found.span()
    before = _ENCODED_BEFORE.search(string, max(0, start - _WIDEST_LINE), start)
    return before is None and _ENCODED_AFTER.match(string, end) is None


def password_field(found: re.Match[str], _: Context) -> bool:
    """Take the value of a field for passwords in HTML."""
    return bool(_PASSWORD_FIELD.search(found[0])) and is_password(found["value"])


def _line_before(text: str, at: int) -> str:
    """Return what stands before a place in its line."""
    first = max(0, at - _NEAR)
    return text[max(first, text.rfind("\n", first, at) + 1) : at]


def _may_be_bare(found: re.Match[str], context: Context) -> bool:
    """Return whether a value without quotes may be one: in code, only of a magic."""
    if context is not Context.CODE:
        return True
    return _line_before(found.string, found.start()).lstrip().startswith(("%", "!"))


def _is_field(found: re.Match[str], context: Context) -> bool:
    """Return whether a header line stands here: in code, only in quotes."""
    if context is not Context.CODE or found.lastgroup != "value":
        return True
    before = found.string[max(0, found.start() - 1) : found.start()]
    after = found.string[found.end() : found.end() + 1]
    return (before in {'"', "'"} and before == after) or _may_be_bare(found, context)
