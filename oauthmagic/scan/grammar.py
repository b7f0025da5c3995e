"""The parts that patterns are made of: what separates, how values stand.

Quantifiers are possessive or bounded, so that no pattern tries a text twice.
"""

from __future__ import annotations

import re

#: After a label in code, JSON, YAML: `"] = `, `: str = `, `=> `, `", `, and a call:
#: `Secret(`, an opening bracket alone, a line that goes on behind a backslash.
SEPARATOR = r"""
    ["'`]?\ ?\]?[ \t]{0,20}+
    (?::\ ?[\w\[\]|.\ ]{1,40}=(?!=) | :=|=>|<-|:|,(?![ \t]*+\n)|==?)
    \s{0,40}+(?:\\\n\s{0,40}+)?(?:(?:[A-Za-z_][\w.]{0,40})?\(\s{0,40}+)?
    (?:[bBrRfFuU]{1,2}(?=["'`]))?
"""
#: Not a closing quote, after which an argument, a bracket or the line's end comes.
QUOTED = r"""
    (?: "{3}(?!")\s{0,40}+(?P<long>(?:[^"\\\n]|\\.){1,4000})\s{0,40}+"{3}
    | '{3}(?!')\s{0,40}+(?P<long_single>(?:[^'\\\n]|\\.){1,4000})\s{0,40}+'{3}
    | "(?![\s,)\]};:]|\Z)(?P<value>(?:[^"\\\n]|\\.){1,4000})"
    | '(?![\s,)\]};:]|\Z)(?P<single>(?:[^'\\\n]|\\.){1,4000})'
    | `(?![\s,)\]};:]|\Z)(?P<ticked>(?:[^`\\\n]){1,4000})` )
"""
#: Without quotes, up to a blank; also in a table, where blanks or tabs separate.
BARE = r"""
    (?:["'`]?[ \t]{0,3}+(?:=>|:=|[:=])[ \t]{0,3}+|[ ]{2,60}+|[ ]{0,3}+[\t|][ \t]{0,20}+)
    (?P<value>[^\s"'`,;&<>|()\[\]{}]{4,4000}+)
"""
#: In a form or a query.
PAIR = r"=(?P<value>[^&\s\"'`<>\#]{4,4000}+)"
#: What comes before the label of an option, and after it.
DASHES = r"""(?:\A|(?<=[\s"'\[(,]))[-\u2010-\u2015\u2212]{1,2}[\w-]{0,40}\Z"""
GIVEN = r"""
    (?:["'],\s{0,8}+["']|[ \t]{0,4}+=[ \t]{0,4}+|[ \t]{1,8}+)["']?
    (?P<value>[^\s"']{4,4000}+)
"""
#: The rest of a header line, in quotes of its own or without.
FIELD = r"""
    (?: "(?P<double>[^"\n]{4,8000}+)" | '(?P<single>[^'\n]{4,8000}+)'
    | (?P<value>[^"'\n]{4,8000}+) )
"""
#: Where a header field may begin: a line, or a quoted text.
FIELD_START = r"""(?:^|(?<=["'\s{,(]))"""
#: After a field's name, in a header line, a mapping, a call or a tuple.
FIELD_SEPARATOR = r"""["'`]?\]?[ \t]{0,4}+[:=,][ \t]{0,4}+(?:[fFbBrR](?=["']))?"""
#: The fields that carry credentials.
FIELD_NAMES = r"""
    (?:proxy-|sca-)?authorization | x-(?:api|auth|functions)-(?:key|token) | api-?key
    | x-(?:amz-security|vault|gitlab|subject)-token | private-token
    | ocp-apim-subscription-key
"""
#: Between two quoted texts that become one: `"Bearer " + "`, `"Bearer {}".format("`.
JOINED = r"""
    (?:[ \t]{0,4}+["'] | [ \t]{1,4}+(?:%s|\{[\w:!]{0,20}+\})["'])
    (?:\.format\(|\s{0,40}+[+%]?\s{0,40}+\(?)\s{0,40}+[bBrRfFuU]{0,2}+["']
"""
#: A signed or encrypted token (RFC 7519): its header begins with `{"` or `{\n`.
JWT = r"""
    (?<![\w.-])(?P<value>ey[JK][\w-]{8,4000}+\.[\w-]{4,20000}+\.[\w-]{4,20000}+
    (?:\.[\w-]{0,20000}+){0,2})
"""
#: The value ends where other dashes begin.
PEM = r"""
    -----BEGIN\ (?:[A-Z0-9]{1,12}\ ){0,3}PRIVATE\ KEY(?:\ BLOCK)?-----
    (?P<value>(?:[\sA-Za-z0-9+/=\\"':,.()_\#]|-(?!----)){40,20000}+)
"""

_VALUES = ("value", "single", "double", "ticked", "long", "long_single")


def compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern that is written with blanks, for either case."""
    return re.compile(pattern, re.VERBOSE | re.IGNORECASE | re.MULTILINE)


def value_span(found: re.Match[str]) -> tuple[int, int]:
    """Return where the secret of a match stands."""
    groups = found.re.groupindex
    spans = (found.span(name) for name in _VALUES if name in groups)
    return next(span for span in spans if span[0] >= 0)


def value_of(found: re.Match[str]) -> str:
    """Return the secret of a match."""
    start, end = value_span(found)
    return found.string[start:end]
