from __future__ import annotations

import pandas as pd
import pytest

from oauthmagic.views.replies import Reply

PRODUCTS = "/distributor/v1/products"


def test_a_cell_gives_a_reply(shell):
    """`%%api` sends the request with the token, and shows the reply."""
    ran = shell(f"%%api revsto@demo\nGET {PRODUCTS}")

    assert isinstance(ran.value, Reply)
    assert ran.value.status == 200
    assert "200 OK" in ran.stdout
    assert "REVSTO_TESTING EUR" in ran.stdout
    assert shell.token_requests() == [200]


def test_a_line_gives_a_reply(shell):
    """`%api TARGET GET /path` is the same in a line, and can be assigned."""
    shell(f"reply = %api revsto@demo GET {PRODUCTS}")

    assert shell.names["reply"].status == 200


def test_a_path_alone_is_a_get(shell):
    """GET is the method where there is none, in a line and in a cell."""
    assert shell(f"%api revsto@demo {PRODUCTS}").value.method == "GET"
    assert shell(f"%%api revsto@demo\n{PRODUCTS}").value.method == "GET"


def test_rows_become_a_data_frame(shell):
    """`--frame` unwraps the provider's list and flattens what is nested."""
    frame = shell("%api revsto@demo --frame GET /distributor/v1/transactions").value

    assert isinstance(frame, pd.DataFrame)
    assert {"id", "amount.value", "amount.currency"} <= {*frame.columns}


@pytest.mark.parametrize("path", ["items", "items.0"])
def test_a_path_says_where_the_rows_are(shell, path):
    """`--frame PATH` takes a dotted path, numbers for places in a list."""
    frame = shell(f"%%api revsto@demo --frame {path}\nGET {PRODUCTS}").value

    assert len(frame) == (7 if path == "items" else 1)
    assert frame["currency"][0] == "EUR"


def test_out_fills_a_variable(shell):
    """`--out NAME` puts the result there and says what it is, in two lines."""
    ran = shell(f"%%api revsto@demo --frame --out products\nGET {PRODUCTS}")

    assert ran.value is None
    assert len(shell.names["products"]) == 7
    assert ran.lines == [
        f"GET https://revsto.demo.invalid/api{PRODUCTS}: 200 OK",
        "products: DataFrame, 7 rows, 5 columns",
    ]


def test_out_without_frame_is_a_reply(shell):
    """`--out` without `--frame` keeps the whole reply."""
    ran = shell(f"%api revsto@demo --out reply GET {PRODUCTS}")

    assert shell.names["reply"].json()["count"] == 7
    assert ran.lines[-1] == "reply: Reply"


def test_a_result_that_failed_leaves_the_variable(shell):
    """What a variable held stays where there are no rows to put there."""
    shell("products = 'before'")

    ran = shell("%%api revsto@demo --frame --out products\nGET /distributor/v1/none")

    assert type(ran.error).__name__ == "ReplyError"
    assert "404" in str(ran.error)
    assert shell.names["products"] == "before"


@pytest.mark.parametrize("flag", ["-q", "--quiet"])
def test_quiet_shows_nothing(shell, flag):
    """`-q` shows nothing; `--out` is filled."""
    ran = shell(f"%%api revsto@demo {flag} --out reply\nGET {PRODUCTS}")

    assert ran.lines == []
    assert shell.names["reply"].status == 200


@pytest.mark.parametrize(
    ("what", "there", "not_there"),
    [
        ("headers", "Content-Type: application/json", "REVSTO_TESTING"),
        ("body", "REVSTO_TESTING EUR", "Content-Type"),
        ("exchange", "Authorization: Bearer [secret]", "Bearer eyJ"),
    ],
)
def test_parts_of_the_exchange_are_shown(shell, what, there, not_there):
    """`--show` prints headers, body or exchange, the token never."""
    ran = shell(f"%%api revsto@demo --show {what}\nGET {PRODUCTS}")

    assert ran.value is None
    assert there in ran.stdout
    assert not_there not in ran.stdout


def test_several_parts_are_shown_in_order(shell):
    """`--show` can be given more than once."""
    text = shell(f"%%api revsto@demo --show headers --show body\nGET {PRODUCTS}").stdout

    assert text.index("Content-Type") < text.index("REVSTO_TESTING")


def test_a_dry_run_sends_nothing(shell):
    """`--dry-run` prints the request with the token's place, and gets no token."""
    ran = shell(f"%%api revsto@demo --dry-run\nGET {PRODUCTS}\nX-Thing: 1")

    assert ran.stdout.startswith(
        "# Needs the scope account_view.\n"
        f"GET https://revsto.demo.invalid/api{PRODUCTS}\n"
    )
    assert "X-Thing: 1" in ran.stdout
    assert "Authorization: Bearer" in ran.stdout
    assert shell.asked() == []
    assert len(shell("%token").value) == 0


def test_several_requests_run_in_order(shell):
    """`###` separates requests; the value is a list, the token is got once."""
    cell = f"GET {PRODUCTS}\n###\nGET /distributor/v1/transactions?limit=2"

    replies = shell(f"%%api revsto@demo\n{cell}").value
    frames = shell(f"%%api revsto@demo --frame --out both\n{cell}")

    assert [reply.status for reply in replies] == [200, 200]
    assert [len(frame) for frame in shell.names["both"]] == [7, 2]
    assert frames.lines[-1] == "both: a list of 2"
    assert shell.token_requests() == [200]


def test_nothing_is_sent_when_a_later_request_is_wrong(shell):
    """All requests of a cell are checked before the first is sent."""
    ran = shell(f"%%api revsto@demo\nGET {PRODUCTS}\n###\nGET https://evil.example/x")

    assert type(ran.error).__name__ == "UrlRefused"
    assert shell.asked() == []


def test_variables_of_the_notebook_are_looked_up(shell):
    """`{{name}}` is the notebook's variable; the cell's own come first."""
    shell("rows = 3")
    cell = "GET /distributor/v1/transactions\n  ?limit={{rows}}"

    three = shell(f"%%api revsto@demo --frame\n{cell}").value
    two = shell(f"%%api revsto@demo --frame\n@rows = 2\n{cell}").value
    line = "%api revsto@demo --frame /distributor/v1/transactions?limit={{rows}}"

    assert len(three) == len(shell(line).value) == 3
    assert len(two) == 2


def test_names_of_ipython_are_nobody_s_variables(shell):
    """`_`, `In` and the like are not looked up."""
    for name in ("In", "Out", "_", "exit", "get_ipython"):
        ran = shell(f"%%api revsto@demo\nGET /distributor/v1/{{{{{name}}}}}")
        assert type(ran.error).__name__ in ("UnknownName", "RequestSyntaxError")
    assert shell.asked() == []


def test_ipython_does_not_expand_the_line(shell):
    """`$name` and `{name}` are not IPython's to replace here."""
    shell("target = 'revsto@demo'")

    ran = shell("%token {target}")

    assert "{target}" in str(ran.error)


def test_a_body_is_sent(shell):
    """What follows the blank line is the body."""
    shell("%token revsto@demo --scope account_creation -q")

    reply = shell(
        "%%api revsto@demo\n"
        "POST /distributor/v1/users/1001/accounts\n"
        "Content-Type: application/json\n"
        "X-Request-ID: {{$guid}}\n"
        "\n"
        '{"product": "235"}\n'
    ).value

    assert reply.status == 201
    assert reply.ok


def test_a_reply_of_any_status_is_a_reply(shell):
    """A refusal by the API is data with a hint, not an exception."""
    ran = shell("%%api revsto@demo\nPOST /distributor/v1/hooks\n\n{}")

    assert ran.error is None
    assert ran.value.status == 403
    assert "--scope" in ran.value.hint
    assert "Hint:" in ran.stdout


def test_a_secret_in_a_query_is_not_shown(shell):
    """A token in the URL (RFC 6750, section 5.3) is sent as written and not shown."""
    ran = shell(f"%api revsto@demo --out r {PRODUCTS}?access_token=not-a-token")
    shown = shell("r")

    assert "not-a-token" not in ran.stdout + shown.stdout
    assert "access_token=[secret]" in ran.stdout


def test_the_html_of_a_reply_is_escaped(shell, echo_provider):
    """Text from a server is text, in HTML too."""
    shell(f"%token add '{echo_provider()}'")
    shell("got = {'access_token': 'not-a-token'}\n%token adopt echo --from got -q")

    value = shell("%%api echo\nPOST /echo/plain\n\n<script>alert(1)</script>").value
    html = shell.shell.display_formatter.format(value)[0]["text/html"]

    assert "<script" not in html
    assert "&lt;script" in html
