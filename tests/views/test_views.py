"""Tables, texts and replies: what is shown, and what never is."""

from datetime import UTC, datetime

import pandas as pd
import pytest

from oauthmagic import Session
from oauthmagic.errors import ReplyError
from oauthmagic.views.html import reply_html
from oauthmagic.views.replies import Headers, Reply
from oauthmagic.views.tables import PROVIDER_DTYPES, SCOPE_DTYPES, TOKEN_DTYPES
from oauthmagic.views.texts import body_text, headers_text, reply_text
from oauthmagic.views.tokens import token_html, token_text


@pytest.fixture
def session():
    """A session with one token."""
    session = Session(environ={})
    session.token("revsto@demo", scopes=["account_view", "posting"])
    return session


def a_reply(body=b"", status=200, kind="application/json", **changes):
    """Return a reply."""
    return Reply(
        status=status,
        headers=Headers((("content-type", kind),)),
        body=body,
        elapsed=0.0123,
        method="GET",
        url="https://api.acme.example/items",
        **changes,
    )


@pytest.mark.parametrize("filled", [True, False])
def test_the_tables_have_fixed_dtypes(session, filled):
    """With and without rows."""
    if not filled:
        session.forget(every=True)

    for table, dtypes in [
        (session.tokens(), TOKEN_DTYPES),
        (session.scopes("revsto@demo"), SCOPE_DTYPES),
        (session.providers(), PROVIDER_DTYPES),
    ]:
        assert list(table.columns) == list(dtypes)
        assert [table[name].dtype == dtype for name, dtype in dtypes.items()] == (
            [True] * len(dtypes)
        )


def test_the_token_table_says_everything_but_the_token(session):
    """Status in words, times as times."""
    (row,) = session.tokens().to_dict("records")

    assert row["target"] == "revsto@demo"
    assert row["grant"] == "password"
    assert row["subject"] == "demo-analyst"
    assert row["scopes"] == row["scopes_requested"] == "account_view posting"
    assert row["expires"] - row["issued"] == pd.Timedelta(seconds=300)
    assert row["remaining"] == pd.Timedelta(seconds=300)
    assert row["status"] == "valid"
    assert row["refreshable"] is True
    assert len(row["fingerprint"]) == 8


def test_no_export_of_the_table_holds_a_token(session):
    """HTML, CSV, JSON, text."""
    token = session.show("revsto@demo")
    table = session.tokens()

    shown = (
        table.to_html()
        + table.to_csv()
        + table.to_json(date_format="iso")
        + table.to_string()
    )

    assert token.access_token.reveal()[:20] not in shown
    assert token.refresh_token.reveal()[:20] not in shown


def test_an_expired_token_says_so(session):
    """In the table and in the text."""
    session.demo("revsto@demo").advance(301)

    assert list(session.tokens()["status"]) == ["expired"]
    assert "expired at 09:05:00 UTC" in token_text(session.show("revsto@demo"))


def test_the_scope_table_compares_asked_and_granted(session):
    """One row a scope, described."""
    table = session.scopes("revsto@demo").set_index("scope")

    assert table.loc["posting", "description"] == "Perform internal posting operations"
    assert bool(table.loc["posting", "granted"])
    assert not table.loc["kyc_view", "requested"]
    assert len(table) == 17


def test_a_token_is_a_small_table_in_html(session):
    """Caption and row headers; nothing of the server unescaped; no script."""
    token = session.show("revsto@demo").replace(subject="<script>alert(1)</script>")

    page = token_html(token)

    assert "<caption" in page
    assert 'scope="row"' in page
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_what_is_left_of_a_token_is_a_bar_and_words(session):
    """In a demo, whose time stands still, it stands still, too."""
    session.demo("revsto@demo").advance(60)
    token = session.show("revsto@demo")

    assert "[################----] 80% of 5 min 0 s left" in token_text(token)
    page = token_html(token)
    assert 'aria-label="80% of 5 min 0 s left"' in page
    assert "width:80.0%" in page
    assert "animation" not in page


def test_the_bar_of_a_real_token_runs_down_by_itself(session):
    """A CSS animation as long as what is left: no script, and no motion if unwanted."""
    session.demo("revsto@demo").advance(60)
    token = session.show("revsto@demo").replace(target="acme@sandbox")

    page = token_html(token)

    assert "animation-duration:240s" in page
    assert "prefers-reduced-motion:no-preference" in page
    assert "80% of 5 min 0 s left at 09:01:00 UTC" in page
    assert "<script" not in page


@pytest.mark.parametrize(
    ("changes", "bar"),
    [
        ({"expires_at": None}, ""),
        ({"access_token": None}, ""),
        ({"expires_at": datetime(2029, 1, 1, tzinfo=UTC)}, "0% of"),
        ({"issued_at": datetime(2030, 1, 1, 9, 5, tzinfo=UTC)}, "0% of 0 s left"),
    ],
    ids=["unknown", "no token yet", "long over", "no life at all"],
)
def test_a_life_that_cannot_be_measured_has_no_bar(session, changes, bar):
    """Or an empty one; nothing is made up, and nothing fails."""
    token = session.show("revsto@demo").replace(**changes)

    assert ("[--------------------]" in token_text(token)) == bool(bar)
    assert bar in token_html(token)
    assert ("<div role=" in token_html(token)) == bool(bar)


def test_the_token_shown_says_what_its_scopes_allow(session):
    """Asked beside granted, in words; what was not granted is there, too."""
    token = session.show("revsto@demo")
    token = token.replace(scopes=frozenset({"posting", "extra"}))

    text, page = token_text(token), token_html(token)

    for row in (
        "    account_view  yes        no         View account information, balances",
        "    posting       yes        yes        Perform internal posting operations",
        "    extra         no         yes",
    ):
        assert row in text
    assert "Perform internal posting operations</td>" in page
    assert page.count("<b>no</b>") == 1


@pytest.mark.parametrize(
    ("body", "envelope", "path", "rows"),
    [
        (b'{"items":[{"a":1},{"a":2}],"count":2}', "items", None, [{"a": 1}, {"a": 2}]),
        (b'[{"a":1}]', "", None, [{"a": 1}]),
        (b'{"accounts":[{"a":1}],"_links":{"self":"x"}}', "", None, [{"a": 1}]),
        (b'{"a":1,"b":{"c":2}}', "", None, [{"a": 1, "b.c": 2}]),
        (b'{"data":{"list":[{"a":1}]}}', "", "data.list", [{"a": 1}]),
        (b'{"data":[{"x":[{"a":1}]}]}', "", "data.0.x", [{"a": 1}]),
        (b"[1,2]", "", None, [{"value": 1}, {"value": 2}]),
        (b'{"items":[]}', "items", None, []),
    ],
)
def test_rows_are_found(body, envelope, path, rows):
    """The envelope, the only list, the list itself, one row, or the path."""
    frame = a_reply(body, envelope=envelope).frame(path)

    assert frame.to_dict("records") == rows


@pytest.mark.parametrize(
    ("reply", "path", "said"),
    [
        (a_reply(b"<p>", kind="text/html"), None, "is not JSON (text/html)."),
        (a_reply(b'{"data":{}}'), "dta", "Did you mean 'data'?"),
        (
            a_reply(b"{}", status=404, hint="Look again."),
            None,
            "answered 404 Not Found",
        ),
        (a_reply(b"[" * 100_000), None, "is not JSON"),
    ],
    ids=["html", "path", "status", "deep"],
)
def test_no_rows_is_an_error_with_a_next_step(reply, path, said):
    """An error page does not become a table."""
    with pytest.raises(ReplyError) as caught:
        reply.frame(path)

    assert said in str(caught.value)
    assert caught.value.hint


def test_a_reply_is_shown_with_its_title_hint_and_body():
    """Size and time in the first line."""
    text = reply_text(a_reply(b'{"a":"\xc3\xa9"}', status=403, hint="Ask for more."))

    assert text == (
        "GET https://api.acme.example/items: 403 Forbidden (12 ms, 10 bytes)\n"
        'Hint: Ask for more.\n\n{\n  "a": "é"\n}'
    )


@pytest.mark.parametrize(
    "body",
    [
        b'{"access_token":"canary-1","nested":[{"refresh_token":"canary-2"}]}',
        b"access_token=canary-1&expires_in=3",
    ],
)
def test_tokens_in_a_reply_are_not_shown(body):
    """Even those that nobody knows yet."""
    reply = a_reply(body)

    assert "canary" not in repr(reply) + reply_html(reply)
    assert "canary" in reply.text


def test_a_long_body_is_cut_with_a_count():
    """A reader sees that there is more."""
    assert body_text(a_reply(b"x" * 5000, kind="text/plain")).endswith(
        "\n... 1,000 more characters"
    )


def test_html_from_the_network_is_text():
    """Never rendered; control characters made visible."""
    reply = a_reply(b"<img src=x onerror=alert(1)>\x1b[31m", kind="text/html")

    assert "<img" not in reply_html(reply)
    assert "\x1b" not in reply_html(reply) + repr(reply)


def test_headers_are_looked_up_in_any_case_and_shown_without_secrets():
    """`Set-Cookie` is a secret of somebody's."""
    headers = Headers((("x-a", "1"), ("x-a", "2"), ("set-cookie", "canary")))
    reply = a_reply()
    reply.headers = headers

    assert headers["X-A"] == "1, 2"
    assert "canary" not in headers_text(reply) + repr(headers)
    assert dict(headers) == {"x-a": "1, 2", "set-cookie": "canary"}


@pytest.mark.parametrize(
    ("kind", "body", "text"),
    [
        ("text/plain; charset=latin-1", b"\xe9", "é"),
        ("text/plain; charset=nonsense", "é".encode(), "é"),
        ("text/plain", b"\xff", "\ufffd"),
    ],
)
def test_a_body_is_read_in_its_charset(kind, body, text):
    """Or as UTF-8, with a mark for what cannot be read."""
    assert a_reply(body, kind=kind).text == text


def test_an_unknown_status_has_no_phrase():
    """Nothing is made up."""
    assert a_reply(status=299).reason == ""
    assert a_reply(status=299).ok
