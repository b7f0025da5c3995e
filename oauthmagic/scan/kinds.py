"""The kinds of secrets, in one table: how each is written, and what to do about it.

A kind is looked for around its cues only, and each pattern takes time proportional to
the text. Where a value could be read as two kinds, the earlier in the table has it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oauthmagic.scan import judges
from oauthmagic.scan.grammar import (
    FIELD,
    FIELD_NAMES,
    FIELD_SEPARATOR,
    FIELD_START,
    JOINED,
    JWT,
    PEM,
    compiled,
)
from oauthmagic.scan.vendors import VENDORS

if TYPE_CHECKING:
    from collections.abc import Callable

    #: Whether a match is a find.
    Judge = Callable[[re.Match[str], judges.Context], bool]

_REVOKE = "Revoke the token (%token revoke TARGET, or at its provider); get a new one."
_CHANGE = "Change the password where it is valid; enter the new one at a prompt."
_RENEW = "Have the provider issue a new secret or key and withdraw this one."
_REPLACE = "Make a new key pair, register it, and withdraw this key."


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """A kind of secret.

    Attributes:
        name: Its name in JSON.
        title: Its name in a sentence.
        advice: What to do about a find.
        cues: What stands in every text that holds one, in lower case.
        pattern: What one looks like; a group of it is the secret.
        judge: Whether a match is one.
        before: How many characters before a cue one may begin.
        reach: How many characters after the begin of a cue one may end.
    """

    name: str
    title: str
    advice: str
    cues: tuple[str, ...]
    pattern: re.Pattern[str]
    judge: Judge = judges.any_value
    before: int = 64
    reach: int = 4200


def _by_place(name: str, title: str, advice: str) -> Kind:
    """Return a kind that is known by where it stands, not by its form."""
    return Kind(
        name=name, title=title, advice=advice, cues=(), pattern=compiled("(?!)")
    )


#: A value that the scanner was told.
KNOWN = _by_place(
    "known-value",
    "a secret of yours (a token held, or a value of OAUTHMAGIC_*)",
    "Revoke the token, or change the value, where it is valid.",
)
#: What the password field of a form was left with.
WIDGET = _by_place(
    "password-widget",
    "value of a password widget",
    "Empty the field and save again, or clear the widget state. " + _CHANGE,
)
#: What stands beside a label; see `labels`.
CLIENT_SECRET = _by_place("client-secret", "client secret", _RENEW)
PASSWORD = _by_place("password", "password", _CHANGE)
TOKEN = _by_place("token", "token", _REVOKE)
API_KEY = _by_place("api-key", "API key", _RENEW)
FORM = _by_place("form", "secret in a form or a query", _RENEW)
OPTION = _by_place("option", "secret on a command line", _RENEW)

_FORMED = (
    Kind(
        name="private-key",
        title="private key (PEM)",
        advice=_REPLACE,
        cues=("private key",),
        pattern=re.compile(PEM, re.VERBOSE),
        judge=judges.private_key,
        reach=20200,
    ),
    Kind(
        name="jwk",
        title="private key (JWK)",
        advice=_REPLACE,
        cues=("kty",),
        before=3000,
        pattern=compiled(
            r"""["'](?P<name>d|k|p|q|dp|dq|qi)["']\s{0,9}+:\s{0,9}+
            ["'](?P<value>[\w-]{16,6000}+)["']"""
        ),
        judge=judges.private_jwk,
        reach=8000,
    ),
    Kind(
        name="jwt",
        title="JSON Web Token",
        advice=_REVOKE,
        cues=("eyj", "eyk"),
        pattern=re.compile(JWT, re.VERBOSE),
        reach=64000,
    ),
    *(
        Kind(
            name=vendor.name,
            title=vendor.title,
            advice=_RENEW,
            cues=tuple(cue.lower() for cue in vendor.cues),
            reach=600,
            pattern=re.compile(vendor.pattern),
            judge=judges.issued,
        )
        for vendor in VENDORS
    ),
    Kind(
        name="refresh-token",
        title="refresh token (league/oauth2-server)",
        advice=_REVOKE,
        cues=("def50200",),
        pattern=re.compile(r"(?<![0-9a-f])(?P<value>def50200[0-9a-f]{40,4000}+)"),
    ),
)

_SENT = (
    Kind(
        name="basic",
        title="Basic credentials",
        advice=_CHANGE,
        cues=("basic",),
        pattern=compiled(
            r"\bbasic[ \t]{1,4}+(?P<value>[A-Za-z0-9+/_-]{6,4000}+={0,2})"
        ),
        judge=judges.basic,
    ),
    Kind(
        name="bearer",
        title="bearer token",
        advice=_REVOKE,
        cues=("bearer", "dpop"),
        pattern=compiled(
            r"\b(?:bearer|dpop)[ \t]{1,4}+(?P<value>[A-Za-z0-9._~+/=-]{12,16000}+)"
        ),
        judge=judges.bearer,
        reach=16100,
    ),
    Kind(
        name="joined",
        title="token put behind its scheme",
        advice=_REVOKE,
        cues=("bearer", "dpop"),
        pattern=compiled(
            rf"\b(?:bearer|dpop){JOINED}(?P<value>[A-Za-z0-9._~+/=-]{{12,16000}}+)[\"']"
        ),
        judge=judges.bearer,
        reach=16400,
    ),
    Kind(
        name="basic-pair",
        title="name and password in a call",
        advice=_CHANGE,
        cues=("auth",),
        pattern=compiled(
            r"""(?:(?<![a-z0-9])|basic_?|digest_?|proxy_?)auth
            [ \t]{0,4}+=?[ \t]{0,4}+\(\s{0,40}+(?:(?:user)?name=)?
            (?:[rRfFuUbB]?(?:"[^"\n]{0,200}+"|'[^'\n]{0,200}+')|[\w.]{1,80}+
            (?:\[[^\]\n]{0,80}+\])?),\s{0,40}+
            [rRfFuUbB]?(?:"(?P<double>(?:[^"\\\n]|\\.){4,400}+)"
            |'(?P<single>(?:[^'\\\n]|\\.){4,400}+)')"""
        ),
        judge=judges.pair,
        reach=1200,
    ),
    Kind(
        name="cookie",
        title="cookie",
        advice="End the session where the cookie is valid.",
        cues=("cookie",),
        pattern=compiled(f"{FIELD_START}(?:set-)?cookie{FIELD_SEPARATOR}{FIELD}"),
        judge=judges.cookie,
        reach=8100,
    ),
    Kind(
        name="header",
        title="credentials in a header line",
        advice=_REVOKE,
        cues=("authorization", "-key", "apikey", "-token"),
        pattern=compiled(f"{FIELD_START}(?:{FIELD_NAMES}){FIELD_SEPARATOR}{FIELD}"),
        judge=judges.field,
        reach=8100,
    ),
    Kind(
        name="url-userinfo",
        title="password in a URL",
        advice=_CHANGE,
        cues=("://",),
        pattern=re.compile(
            r"://(?P<user>[^\s/:@\"'<>?#]{0,200}+):"
            r"(?P<value>[^\s/@\"'<>?#]{3,400}+)@(?=[\w.\[-])"
        ),
        judge=judges.password,
    ),
    Kind(
        name="netrc",
        title="password in a .netrc",
        advice=_CHANGE,
        cues=("machine",),
        pattern=compiled(
            r"""\bmachine\s{1,9}+[^\s]{1,200}+\s{1,9}+login\s{1,9}+[^\s]{1,200}+\s{1,9}+
            password\s{1,9}+(?P<value>[^\s]{4,400}+)"""
        ),
        judge=judges.password,
        reach=1000,
    ),
    Kind(
        name="authorization-code",
        title="authorization code (redirected URL)",
        advice="Log in once more, and keep redirected URLs out of cells.",
        cues=("code=",),
        pattern=re.compile(r"[?&]code=(?P<value>[^&\s\"'<>#`]{8,4000}+)"),
        judge=judges.code,
    ),
    Kind(
        name="url-token",
        title="token in a URL",
        advice=_REVOKE,
        cues=("token=", "key=", "sig=", "signature=", "auth=", "sid=", "session="),
        pattern=compiled(
            r"""[?&\#](?:[\w.-]{0,20}token|api_?key|key|sig|signature|x-amz-signature
            |auth|sid|session)=(?P<value>[^&\s"'<>\#`]{12,8000}+)"""
        ),
        judge=judges.token,
        reach=8100,
    ),
    Kind(
        name="user-option",
        title="password on a command line",
        advice=_CHANGE,
        cues=("curl", "wget", "http", "%token", "%api", "xh "),
        pattern=compiled(
            r"""(?:^|(?<=[\s"']))(?:-u|--user|--proxy-user|-a|--auth)[ =]{0,3}+["']?
            (?P<user>[^\s"':-][^\s"':]{0,200}+):(?P<value>[^\s"']{3,400}+)"""
        ),
        judge=judges.user_option,
    ),
    Kind(
        name="magic-option",
        title="password on the line of a magic",
        advice=_CHANGE,
        cues=("%token", "%api", "%oauth_"),
        pattern=compiled(
            r"""%%?(?:oauth_)?(?:token|api)\b[^\n]{0,400}?\s-p[ \t=]{0,4}+["']?
            (?P<value>[^\s"'-][^\s"']{3,400}+)"""
        ),
        judge=judges.password,
    ),
    Kind(
        name="password-input",
        title="value of a password field",
        advice=_CHANGE,
        cues=("<input",),
        pattern=compiled(
            r"""<input\b[^<>]{0,400}?\bvalue\s?=\s?["']?(?P<value>[^"'<>\s]{1,400}+)
            ["']?[^<>]{0,400}+>"""
        ),
        judge=judges.password_field,
    ),
)

#: Every kind, the most telling first; the first two have no pattern.
KINDS: tuple[Kind, ...] = (
    KNOWN,
    WIDGET,
    *_FORMED,
    *_SENT,
    OPTION,
    FORM,
    CLIENT_SECRET,
    PASSWORD,
    TOKEN,
    API_KEY,
    Kind(
        name="opaque",
        title="opaque value, alone in an output",
        advice=_REVOKE,
        cues=("",),
        pattern=compiled(
            r"""^[ \t]*+(?:b?["'])?(?P<value>[A-Za-z0-9._~+/=-]{32,4000}+)["']?
            [ \t\r]*+$"""
        ),
        judge=judges.alone,
    ),
)
#: Which of two kinds comes first.
RANK = {kind.name: rank for rank, kind in enumerate(KINDS)}
