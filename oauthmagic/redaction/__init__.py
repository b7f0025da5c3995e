"""Values that do not show, and the one redactor that knows them all.

A `Secret` gives its value only to `.reveal()`. Every live `Secret` is known to
`redact`, and so are those of the recent past; text from a server, an exception or
a library's log can be cleaned without knowing where it came from.

    values       Secret, and which ones there are
    folding      text without its escapes, blanks and colours, and the way back
    spellings    the forms in which a value may turn up
    redactor     redact, quote and the filter for logs
    sieve        which of many texts hold a secret

This package imports the standard library only.
"""

from __future__ import annotations

from oauthmagic.redaction.redactor import (
    LONGEST_QUOTE,
    RedactingFilter,
    holds_secret,
    quote,
    redact,
)
from oauthmagic.redaction.sieve import texts_with_secrets
from oauthmagic.redaction.values import (
    MASK,
    MOST_REMEMBERED,
    SHORTEST_IN_TEXT,
    Secret,
    forget_the_gone,
    live_values,
)

__all__ = [
    "LONGEST_QUOTE",
    "MASK",
    "MOST_REMEMBERED",
    "SHORTEST_IN_TEXT",
    "RedactingFilter",
    "Secret",
    "forget_the_gone",
    "holds_secret",
    "live_values",
    "quote",
    "redact",
    "texts_with_secrets",
]
