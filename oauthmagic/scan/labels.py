"""What a label says about the value beside it: `client_secret = "..."`.

Labels are looked for by their last word; what may follow is tried where one ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from oauthmagic.scan import judges
from oauthmagic.scan.grammar import (
    BARE,
    DASHES,
    GIVEN,
    PAIR,
    QUOTED,
    SEPARATOR,
    compiled,
    value_span,
)
from oauthmagic.scan.kinds import API_KEY, CLIENT_SECRET, FORM, OPTION, PASSWORD, TOKEN

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator

    from oauthmagic.scan.kinds import Judge, Kind


class Label(NamedTuple):
    """A word that ends a label.

    Attributes:
        kind: What stands beside it.
        cue: The word, in lower case.
        rest: How it may go on, from the cue.
        before: What has to come before it; nothing does without.
    """

    kind: Kind
    cue: str
    rest: re.Pattern[str]
    before: re.Pattern[str] | None = None


class Beside(NamedTuple):
    """A value with its label.

    Attributes:
        kind: What it is.
        start: Where it begins.
        end: Where it ends.
    """

    kind: Kind
    start: int
    end: int


_KEYS = r"""
    (?:api|access|account|auth|encryption|signing|subscription|consumer|master|service
    |license|storage|app|application|private|admin)[_\-\ ]?\Z
"""
LABELS = (
    Label(
        CLIENT_SECRET,
        "secret",
        compiled(r"secret(?:[_\-\ ]?(?:access[_-]?)?key)?(?:[_-]?(?:value|text))?"),
    ),
    Label(
        PASSWORD,
        "passw",
        compiled(r"passw(?:or[dt]|d)s?"),
    ),
    Label(PASSWORD, "passphrase", compiled("passphrase")),
    Label(PASSWORD, "passcode", compiled("passcode")),
    Label(PASSWORD, "pwd", compiled("pwd")),
    Label(PASSWORD, "passe", compiled("passe"), compiled(r"mot[_\-\ ]?de[_\-\ ]?\Z")),
    Label(PASSWORD, "pass", compiled("pass(?![a-z])"), compiled(r"(?<![a-z])\Z")),
    Label(PASSWORD, "kennwort", compiled("kennwort")),
    Label(TOKEN, "token", compiled("tokens?")),
    Label(TOKEN, "jwt", compiled("jwts?")),
    Label(TOKEN, "bearer", compiled("bearer")),
    Label(TOKEN, "assertion", compiled("assertion")),
    Label(TOKEN, "verifier", compiled("verifier"), compiled(r"code[_-]?\Z")),
    Label(
        TOKEN,
        "code",
        compiled("code"),
        compiled(r"(?:device|auth|authorization)[_-]?\Z"),
    ),
    Label(TOKEN, "session", compiled("session[_-]?(?:id|key|token)")),
    Label(API_KEY, "key", compiled("key"), compiled(_KEYS)),
)
# The longest that comes before a label's last word, with `\Z` in its pattern.
_BEFORE = 48
_LONGEST_LABEL = 60
# A value may hold a label with its value, and so on; but not for ever.
_MOST_NESTED = 8

_OPAQUE = {TOKEN.name, API_KEY.name}
_QUOTED = compiled(SEPARATOR + QUOTED)
_BARE = compiled(BARE)
_PAIR = compiled(PAIR)
_DASHES = compiled(DASHES)
_GIVEN = compiled(GIVEN)
_JUDGES: dict[str, tuple[Judge, Judge]] = {
    kind.name: judged
    for kinds, judged in (
        ((CLIENT_SECRET, PASSWORD), (judges.password, judges.bare_password)),
        ((TOKEN, API_KEY), (judges.token, judges.bare_token)),
    )
    for kind in kinds
}


def values_beside_labels(
    text: str, lowered: str, context: judges.Context
) -> Iterator[Beside]:
    """Yield the secrets that stand beside a label.

    Args:
        text: Where to look.
        lowered: The same in lower case.
        context: What it is.
    """
    tried = nested = 0
    for label, start, end in sorted(_labels_in(text, lowered), key=_place):
        nested = nested + 1 if start < tried else 0
        if nested > _MOST_NESTED:
            continue
        found, last = _beside(text, label.kind, start, end, context)
        tried = max(tried, last)
        if found:
            yield found


def _place(found: tuple[Label, int, int]) -> int:
    return found[1]


def _beside(
    text: str, kind: Kind, start: int, end: int, context: judges.Context
) -> tuple[Beside | None, int]:
    """Return what stands after a label, if it is a secret; and up to where was read.

    Args:
        text: Where it stands.
        kind: What the label says.
        start: Where the last word of the label begins.
        end: Where it ends.
        context: What the text is.
    """
    opaque = kind.name in _OPAQUE
    quoted, bare = _JUDGES[kind.name]
    last = end
    given = _GIVEN.match(text, end) if _is_option(text, start) else None
    if given:
        last = given.end()
        if judges.option(given, context, start=start, opaque=opaque):
            return Beside(OPTION, *value_span(given)), last
    if pair := _PAIR.match(text, end):
        last = max(last, pair.end())
        if judges.form(pair, context, start=start, opaque=opaque):
            return Beside(FORM, *value_span(pair)), last
    for pattern, judge in ((_QUOTED, quoted), (_BARE, bare)):
        if found := pattern.match(text, end):
            last = max(last, found.end())
            if judge(found, context):
                return Beside(kind, *value_span(found)), last
    return None, last


def kind_of_label(name: str) -> Kind | None:
    """Return the kind of what stands under a label: a column, a widget's description.

    Args:
        name: `access_token`, `Client secret:`.
    """
    name = name.strip().strip(":*\"'`").strip()
    if len(name) <= _LONGEST_LABEL:
        for label, _, end in _labels_in(name, name.lower()):
            if end == len(name):
                return label.kind
    return None


def _labels_in(text: str, lowered: str) -> Iterator[tuple[Label, int, int]]:
    for label in LABELS:
        at = lowered.find(label.cue)
        while at >= 0:
            found = label.rest.match(text, at)
            if found and (
                label.before is None
                or label.before.search(text, max(0, at - _BEFORE), at)
            ):
                yield label, at, found.end()
            at = lowered.find(label.cue, at + len(label.cue))


def _is_option(text: str, start: int) -> bool:
    first = max(0, start - _BEFORE)
    return "-" in text[first:start] and _DASHES.search(text, first, start) is not None
