"""The public surface, type-checked and never run (`make check`)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, assert_type

import oauthmagic
from oauthmagic import OAuthMagicError, Secret, Session, Token, UserActionRequired
from oauthmagic.batch.parquet import Written
from oauthmagic.views.replies import Saved
from oauthmagic.views.traces import ShownTrace

if TYPE_CHECKING:
    import pandas as pd

    from oauthmagic.session.demos import Demo
    from oauthmagic.views.introspections import Introspected
    from oauthmagic.views.replies import Reply

session = Session(environment="demo", timeout=5, max_wait=1)
assert_type(oauthmagic.current_session(), Session)

token = session.token("revsto@demo", scopes=["account_view"], fresh=True)
assert_type(token, Token)
assert_type(token.access_token, Secret | None)
assert_type(token.scopes, frozenset[str])
assert_type(token.issued_at, datetime)
assert_type(token.expires_at, datetime | None)
assert_type(token.remaining(), timedelta | None)
assert_type(token.is_expired(), bool | None)

reply: Reply = session.api("revsto@demo", "GET /distributor/v1/products")
assert_type(reply.status, int)
assert_type(reply.text, str)
frame: pd.DataFrame = reply.frame()
saved = session.api("acme", "GET /report.pdf", save="report.pdf", overwrite=True).saved
assert_type(saved, Saved | None)
assert_type(session.code("acme", "GET /accounts", lang="python"), str)
assert_type(session.trace("acme"), ShownTrace)
table: pd.DataFrame = session.tokens()
table = session.endpoints("revsto@demo")
assert_type(session.add(openapi="api.yaml", name="acme@production"), str)
assert_type(session.targets("rev"), list[str])
demo: Demo = session.demo("revsto@demo")
asked: Introspected = session.introspect("acme", token_type_hint="refresh_token")
assert_type(asked.active, bool)
rows: pd.DataFrame = asked.frame()
assert_type(session.forget("revsto@demo"), int)
assert_type(session.remember("acme"), tuple[str, ...])
tested: Reply = session.probe("acme")
assert_type(session.adopt("acme", {"refresh_token": "rt"}), Token)

each: pd.DataFrame = session.map("acme", "GET /{{id}}", table, rate=20, checkpoint="c")
written = session.map("acme", "GET /accounts/{{id}}", table, to="rows.parquet")
assert_type(written, Written)

try:
    session.refresh("revsto@demo")
except UserActionRequired as error:
    print(error.pending, error.hint)  # noqa: T201 - never run
except OAuthMagicError as error:
    print(error.hint)  # noqa: T201 - never run
