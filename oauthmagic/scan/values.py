"""Whether a value is a secret, a placeholder for one, or an ordinary word."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections import Counter

from oauthmagic.redaction import MASK

#: Shorter values are not called secrets.
SHORTEST = 4
#: Under a label, an opaque value has at least so many characters.
SHORTEST_OPAQUE = 16
#: Alone, without a label, it has more.
SHORTEST_ALONE = 32
_LEAST_DIGITS = 2
_LEAST_DISTINCT = 8
# Bits for each character; random base64 of 32 characters has about 4.6.
_LEAST_ENTROPY = 4.1
# The beginning tells of a longer value what it is.
_LOOKED_AT = 300
# What is left of a value beside its `{placeholders}`, to be one.
_LEAST_REMAINDER = 6

# What people write where a secret will stand.
_WORDS_OF_STAND_INS = """
a access account acme admin an any api app auth authorization bar basic baz bearer
bool bytes change changeme client code config cookie credential credentials default
demo doe dummy empty enter env environment example fake false field file fill foo for
from generated get getenv getpass goes header here hidden id input insert int is it
key keyring later local login made masked me mine my name new no none not nothing null
oauth object of omitted optional pass passphrase passwd password paste path
placeholder plainly please prompt put pwd read real redacted refresh removed replace
required sample sandbox secret secrets see session set show some str string super test
testing text that the this to todo token tokens true type undefined unknown unset up
url use user username value var variable was will with word wrong x xx xxx xxxx you
your yours
"""
_STAND_INS = frozenset(_WORDS_OF_STAND_INS.split())
_WORDS = re.compile(r"[A-Z]?[a-z]++|[A-Z]++")
_REFERENCE = re.compile(
    r"""(?x)
    \$\{?\w | \$\( | %\(?\w++\)?[%s] | \{\{ | \}\} | \#\{
    | <[^<>]*> | \[(?:secret|redacted|masked|hidden|filtered|removed)\] | \.\.\. | …
    """
)
_IN_BRACES = re.compile(r"\{[A-Za-z_][^{}]*+\}")
# Of a whole value: a call, an index, a dotted name.
_EXPRESSION = re.compile(r"[A-Za-z_]\w*+(?:\.[A-Za-z_]\w*+)*(?:[(\[]|\Z)")
_DOTTED = re.compile(r"[A-Za-z_]\w*+(?:\.[A-Za-z_]\w*+)+")
_PATH = re.compile(r"(?:\.{0,2}|~)/|[A-Za-z]:[\\/]|[a-z]{2,10}://")
_TOKEN_CHARACTERS = re.compile(r"[A-Za-z0-9._~+/=!*|:-]++")
_SIGNS = re.compile(r"[0-9!?@#$%^*+=~]")
# A date or a time, a number with its unit.
_ORDINARY = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}.*|[0-9:.,%+-]{1,5}|[0-9]+[a-z]{0,2}"
)
_HEX = re.compile(r"[0-9a-fA-F]++")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_CASE_CHANGE = re.compile(r"[a-z](?=[A-Z])|[A-Z](?=[a-z])")
_DIGESTS = frozenset({16, 20, 28, 32, 48, 64})


def is_placeholder(value: str) -> bool:
    """Return whether a value only stands where a secret will.

    `{{client_secret}}`, `[secret]`, `<your secret>`, `***`, `$TOKEN`, `changeme`.
    """
    value = value[:_LOOKED_AT].strip().strip("\"'`")
    if len(value) < SHORTEST or len(set(value.lower())) <= 2:  # noqa: PLR2004 - `x-x`
        return True
    if MASK in value or _REFERENCE.search(value):
        return True
    beside = _IN_BRACES.sub("", value)
    if beside != value and sum(map(str.isalnum, beside)) < _LEAST_REMAINDER:
        return True
    if any(map(str.isdigit, value)):
        return False
    words = [word.lower() for word in _WORDS.findall(value)]
    return all(word in _STAND_INS for word in words) and value.isascii()


def is_password(value: str) -> bool:
    """Return whether a value that was written out, in quotes, may be a password."""
    value = value[:_LOOKED_AT]
    is_name = _DOTTED.fullmatch(value) and not any(map(str.isdigit, value))
    return not is_name and not is_placeholder(value) and not _is_path(value)


def is_bare_password(value: str) -> bool:
    """Return whether a value without quotes may be one.

    A word may as well be prose or the name of a variable, so it has a digit in it, or
    a sign that joins no words; and it is no date.
    """
    value = value[:_LOOKED_AT]
    return (
        is_password(value)
        and _SIGNS.search(value) is not None
        and not _is_expression(value)
        and not _ORDINARY.fullmatch(value)
    )


def is_opaque(value: str, least: int = SHORTEST_OPAQUE) -> bool:
    """Return whether a value under a label looks as if a machine had made it up."""
    if len(value) < least:
        return False
    value = value[:_LOOKED_AT]
    if not _TOKEN_CHARACTERS.fullmatch(value) or is_placeholder(value):
        return False
    if len(set(value)) < min(_LEAST_DISTINCT, least):
        return False
    if _DOTTED.fullmatch(value) and not value.startswith("eyJ"):
        return _entropy(value) > _LEAST_ENTROPY
    if not any(map(str.isalpha, value)) or _is_path(value):
        return False
    digits = sum(map(str.isdigit, value))
    # Of random letters nearly every second is of another case; of words fewer.
    changes = len(_CASE_CHANGE.findall(value))
    return digits >= _LEAST_DIGITS or changes * 4 >= len(value)


def is_opaque_alone(value: str) -> bool:
    """Return whether a value that stands alone can hardly be anything but a token.

    Hexadecimal digits are as often a hash, and base64 is as often a text, an image
    or a digest.
    """
    if (
        len(value) < SHORTEST_ALONE
        or _HEX.fullmatch(value)
        or _UUID.search(value)
        or "/" in value[:1]
        or value.count(".") > 2  # noqa: PLR2004 - a signed token has two
        or value.startswith(("sha256-", "sha384-", "sha512-", "http"))
        or not is_opaque(value, SHORTEST_ALONE)
    ):
        return False
    has_all = (
        any(map(str.isupper, value))
        and any(map(str.islower, value))
        and sum(map(str.isdigit, value)) > _LEAST_DIGITS
    )
    return has_all and _entropy(value) > _LEAST_ENTROPY and not _is_encoded(value)


def basic_password(value: str) -> str:
    """Return the password in Basic credentials (RFC 7617, section 2), or nothing."""
    octets = decoded(value)
    if octets is None:
        return ""
    text = octets.decode("utf-8", "replace")
    _, colon, password = text.partition(":")
    return password if colon and text.isprintable() and "\ufffd" not in text else ""


def decoded(text: str) -> bytes | None:
    """Return the bytes of base64 in either alphabet, or None where it is none."""
    text = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def _is_path(value: str) -> bool:
    """Return whether a value is a path or a URL; base64 may begin like one."""
    if not _PATH.match(value):
        return False
    is_random = len(value) >= SHORTEST_ALONE and _entropy(value) > _LEAST_ENTROPY
    return not is_random or "://" in value or "." in value


def _is_expression(value: str) -> bool:
    found = _EXPRESSION.match(value)
    return found is not None and (
        found.end() < len(value) or _DOTTED.fullmatch(value) is not None
    )


def _is_encoded(value: str) -> bool:
    octets = decoded(value)
    if octets is None:
        return False
    is_digest = value.endswith("=") and len(octets) in _DIGESTS
    return is_digest or octets.isascii()


def _entropy(value: str) -> float:
    """Return Shannon's entropy, in bits for each character."""
    size = len(value)
    return -sum(
        count / size * math.log2(count / size) for count in Counter(value).values()
    )
