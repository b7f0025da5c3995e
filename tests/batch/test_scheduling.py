"""Many rows: one token, one pace, and a result for each row."""

import pandas as pd
import pytest
from answering import Api, answer

from oauthmagic import Session
from oauthmagic.batch.progress import Told
from oauthmagic.errors import (
    CommandError,
    ConnectionFailed,
    ConnectionLost,
    Interrupted,
    LoginRequired,
    RateLimited,
)

ROWS = "GET /rows/{{id}}"


@pytest.fixture
def api():
    """An API that answers every row."""
    return Api()


def frame(count, **columns):
    """Return rows with an identifier each, and an index that is not 0, 1, 2."""
    ids = range(count)
    return pd.DataFrame({"id": ids, **columns}, index=[f"row {place}" for place in ids])


def row_of(request):
    """Return the number at the end of a request's path."""
    return int(request.url.rpartition("/")[2])


def test_a_row_for_each_row(api, tmp_path):
    """In the order of the frame, with its index, the reply flattened."""
    api.decide = lambda request: answer(members={"a": {"b": row_of(request)}})

    result = api.session(tmp_path).map("acme", ROWS, frame(20), engine=api.engine())

    assert [*result.columns] == ["status", "error", "attempts", "elapsed", "a.b"]
    assert result.index.equals(frame(20).index)
    assert result["a.b"].tolist() == [*range(20)]
    assert result["status"].eq(200).all()
    assert result["error"].isna().all()
    assert result["attempts"].eq(1).all()
    assert api.token_requests == 1


def test_a_field_with_the_name_of_a_column_keeps_both(api, tmp_path):
    """`status` of the reply is `reply.status`."""
    members = {"status": "blocked", "attempts": 3, "name": "Ann"}
    api.decide = lambda _: answer(members=members)

    result = api.session(tmp_path).map("acme", ROWS, frame(1), engine=api.engine())

    assert result.loc["row 0", "reply.status"] == "blocked"
    assert result.loc["row 0", "reply.attempts"] == 3
    assert result.loc["row 0", "status"] == 200


def test_a_name_that_is_taken_twice_over_still_finds_a_place(api, tmp_path):
    """No two columns have one name, whatever the reply holds."""
    members = {"status": "a", "reply": {"status": "b"}}
    api.decide = lambda _: answer(members=members)

    result = api.session(tmp_path).map("acme", ROWS, frame(1), engine=api.engine())

    assert result.loc["row 0", "reply.status"] == "b"
    assert result.loc["row 0", "reply.reply.status"] == "a"


def test_progress_is_told_from_half_a_second_on():
    """With the rate of what was sent, not of what was known before."""
    now, told = [0.0], []
    tell = Told(lambda *each: told.append(each), 1000, 100, clock=lambda: now[0])

    for seconds, done in [(0.1, 110), (0.4, 140), (1.0, 200), (1.1, 210), (2.0, 300)]:
        now[0] = seconds
        tell(done)

    assert told == [(200, 1000, 100.0, 8.0), (300, 1000, 100.0, 7.0)]


def test_progress_speaks_of_the_last_ten_seconds():
    """A run that was slow at first does not take hours for it."""
    now, told = [0.0], []
    tell = Told(lambda *each: told.append(each), 10_000, 0, clock=lambda: now[0])

    for quarter in range(1, 400):
        now[0] = quarter / 4
        tell(max(0, quarter - 200) * 25)

    assert told[-1] == (4975, 10_000, 100.0, 50.25)


def test_progress_has_a_last_word():
    """All rows, where it has said anything; nothing, where all was done at once."""
    now, told = [0.0], []
    tell = Told(lambda *each: told.append(each[0]), 10, 0, clock=lambda: now[0])

    for seconds, done in [(0.1, 3), (0.6, 9), (0.7, 10)]:
        now[0] = seconds
        tell(done)
    Told(lambda *each: told.append(each), 10, 0, clock=lambda: 0.1)(10)

    assert told == [9, 10]


def test_progress_says_that_a_server_wants_a_pause(api, tmp_path):
    """How long, and how many rows were done by then."""
    told = []
    busy = [answer(429, retry_after="40")]
    api.decide = lambda _: busy.pop() if busy else answer(members={})

    api.session(tmp_path).map(
        "acme",
        ROWS,
        frame(20),
        engine=api.engine(),
        concurrency=1,
        progress=lambda *each: told.append(each),
    )

    (done, total, rate, left), *_ = told
    assert done < total == 20
    assert rate == 0.0
    assert 40 <= left <= 44
    assert told[-1][0] == 20


def test_replies_that_are_no_object_have_a_column(api, tmp_path):
    """A list, a text that is no JSON, and nothing at all."""
    bodies = {0: answer(members=[1, 2]), 1: answer(members="x"), 2: answer(204)}
    api.decide = lambda request: bodies[row_of(request)]

    result = api.session(tmp_path).map("acme", ROWS, frame(3), engine=api.engine())

    assert result["value"].tolist()[:2] == [[1, 2], "x"]
    assert pd.isna(result["value"].iloc[2])


def test_an_error_is_the_result_of_its_row(api, tmp_path):
    """Status and hint stand there, and its reply; the others go on."""
    refusal = answer(404, {"code": "none"})
    api.decide = lambda request: refusal if row_of(request) == 1 else answer(members={})

    result = api.session(tmp_path).map("acme", ROWS, frame(3), engine=api.engine())

    assert result["status"].tolist() == [200, 404, 200]
    assert result["error"].iloc[1].startswith("404 Not Found: ")
    assert result["code"].iloc[1] == "none"


def test_a_row_whose_value_cannot_be_sent_is_an_error_of_its_own(api, tmp_path):
    """A missing value makes no request; the other rows do."""
    rows = pd.DataFrame({"id": ["a", None, "b/c"]})

    result = api.session(tmp_path).map("acme", ROWS, rows, engine=api.engine())

    assert api.paths() == ["a", "b%2Fc"]
    assert result["attempts"].tolist() == [1, 0, 1]
    assert "{{id}}" in result["error"].iloc[1]


def test_concurrency_is_kept(api, tmp_path):
    """As many as were asked for, and no more."""
    engine = api.engine(5)

    api.session(tmp_path).map("acme", ROWS, frame(50), engine=engine, concurrency=5)

    assert engine.most == 5


def test_rate_is_kept(api, tmp_path):
    """Forty rows at ten in a second take four seconds."""
    begun = api.now

    api.session(tmp_path).map("acme", ROWS, frame(40), engine=api.engine(), rate=10)

    assert 3.5 <= (api.now - begun).total_seconds() <= 4.5
    assert len(api.asked) == 40


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf")])
def test_a_rate_is_a_positive_number(api, tmp_path, rate):
    """Nothing is sent."""
    session = api.session(tmp_path)

    with pytest.raises(CommandError, match="positive"):
        session.map("acme", ROWS, frame(1), engine=api.engine(), rate=rate)
    with pytest.raises(CommandError, match="concurrency"):
        session.map("acme", ROWS, frame(1), engine=api.engine(), concurrency=0)

    assert api.asked == []


def test_the_token_is_renewed_in_mid_run_once(tmp_path):
    """Its end comes after 270 s of 300; forty rows at one in ten seconds."""
    api = Api(life=300)

    result = api.session(tmp_path).map(
        "acme", ROWS, frame(40), engine=api.engine(), rate=0.1
    )

    assert result["attempts"].eq(1).all()
    assert api.token_requests == 2


def test_a_token_that_is_refused_is_renewed_once_for_all_under_way(api, tmp_path):
    """Eight are under way when it is revoked: one renewal, each is replayed once."""
    revoked = []

    def decide(request):
        if len(api.asked) == 20:
            revoked.append(api.valid)
        if any(token in dict(request.headers)["authorization"] for token in revoked):
            return answer(401)
        return answer(members={})

    api.decide = decide

    result = api.session(tmp_path).map("acme", ROWS, frame(100), engine=api.engine())

    assert result["error"].isna().all()
    assert api.token_requests == 2
    assert 1 <= result["attempts"].eq(2).sum() <= 8
    assert result["attempts"].max() == 2


def test_a_row_that_is_refused_with_every_token_is_replayed_once(api, tmp_path):
    """Its 401 is its result; no token is asked for again and again."""
    api.decide = lambda request: answer(
        401 if row_of(request) % 10 == 3 else 200, {"id": 1}
    )

    result = api.session(tmp_path).map("acme", ROWS, frame(100), engine=api.engine())

    assert result["status"].eq(401).sum() == 10
    assert result["attempts"].max() == 2
    assert api.token_requests <= 3


def test_a_storm_of_429_passes(api, tmp_path):
    """Everybody waits as the server says, and no row is lost."""
    storm = [api.now.timestamp() + 40]

    def decide(_):
        if api.now.timestamp() < storm[0]:
            return answer(429, retry_after="20")
        return answer(members={})

    api.decide = decide

    result = api.session(tmp_path).map(
        "acme", ROWS, frame(500), engine=api.engine(8), concurrency=8
    )

    assert result["error"].isna().all()
    # Eight at first, then half as many, then half of that.
    assert len(api.asked) <= 500 + 8 + 4 + 2
    assert 40 <= sum(api.waits) <= 66


def test_a_server_that_wants_a_day_is_given_up(api, tmp_path):
    """What is done is kept, and the rest says that it was not sent."""

    def decide(request):
        if row_of(request) >= 50:
            return answer(429, retry_after="80000")
        return answer(members={})

    api.decide = decide

    with pytest.raises(RateLimited) as caught:
        api.session(tmp_path).map("acme", ROWS, frame(100), engine=api.engine())

    rows = caught.value.partial
    assert len(rows) == 100
    assert rows["status"].eq(200).sum() == 50
    assert rows["error"].eq("not sent").sum() >= 40
    # The server has answered them, so nobody need wonder what it did.
    refused = rows["error"].eq("interrupted before it was sent again")
    assert rows["attempts"][refused].eq(1).all()
    assert rows["error"].isna().sum() + refused.sum() > 50
    assert not rows["error"].str.contains("not known").any()


def test_a_lost_connection_is_made_again_where_it_does_no_harm(api, tmp_path):
    """A GET once; a POST without a key never, unless nothing of it was sent."""
    lost = {3: "unknown", 4: "no"}

    def decide(request):
        sent = lost.pop(row_of(request), None)
        if sent:
            msg = "The connection was lost."
            raise ConnectionLost(msg, sent=sent)
        return answer(members={})

    api.decide = decide
    session = api.session(tmp_path)

    got = session.map("acme", ROWS, frame(10), engine=api.engine())
    lost.update({3: "unknown", 4: "no"})
    posted = session.map(
        "acme", "POST /rows/{{id}}", frame(10), engine=api.engine(), yes_post=True
    )

    assert got["attempts"].tolist() == [1, 1, 1, 2, 2, 1, 1, 1, 1, 1]
    assert got["error"].isna().all()
    assert posted["attempts"].tolist() == [1, 1, 1, 1, 2, 1, 1, 1, 1, 1]
    assert posted["error"].iloc[3].startswith("ConnectionLost: ")
    assert pd.isna(posted["status"].iloc[3])


def test_a_server_that_is_not_there_is_not_asked_for_every_row(api, tmp_path):
    """After a hundred in a row that got no answer, it makes no sense to go on."""

    def decide(_):
        msg = "No connection."
        raise ConnectionFailed(msg, sent="no")

    api.decide = decide

    with pytest.raises(ConnectionFailed) as caught:
        api.session(tmp_path).map("acme", ROWS, frame(5000), engine=api.engine())

    assert len(api.asked) < 200
    assert len(caught.value.partial) == 5000


def test_a_post_needs_a_key_for_each_row_or_a_word(api, tmp_path):
    """A constant key is none: the server would take the rows for one."""
    session = api.session(tmp_path)
    post = "POST /rows/{{id}}\nContent-Type: application/json%s\n\n{}"

    for header in ("", "\nIdempotency-Key: one", "\nX-Request-ID: {{$guid}}"):
        with pytest.raises(CommandError, match="POST"):
            session.map("acme", post % header, frame(2), engine=api.engine())
    assert api.asked == []

    for header in ("\nIdempotency-Key: {{$guid}}", "\nIdempotency-Key: k-{{id}}"):
        session.map("acme", post % header, frame(2), engine=api.engine())
    session.map("acme", post % "", frame(2), engine=api.engine(), yes_post=True)
    keys = [dict(request.headers).get("Idempotency-Key") for request in api.asked]
    assert len({*keys[:2]}) == 2
    assert keys[2:] == ["k-0", "k-1", None, None]


def test_a_post_with_a_key_is_repeated_with_the_same_key(api, tmp_path):
    """A lost connection does not make it a new request."""
    lost = [1]

    def decide(_):
        if lost:
            lost.pop()
            msg = "The connection was lost."
            raise ConnectionLost(msg)
        return answer(members={})

    api.decide = decide
    post = "POST /rows/{{id}}\nIdempotency-Key: {{$guid}}\n\n{}"

    result = api.session(tmp_path).map("acme", post, frame(1), engine=api.engine())

    first, second = (dict(request.headers) for request in api.asked)
    assert first["Idempotency-Key"] == second["Idempotency-Key"]
    assert result["attempts"].tolist() == [2]


def test_an_interruption_keeps_what_is_done(api, tmp_path):
    """Ctrl-C: rows that are done, one that was under way, and the rest."""

    def decide(request):
        if row_of(request) == 20:
            raise KeyboardInterrupt
        return answer(members={"id": row_of(request)})

    api.decide = decide

    with pytest.raises(Interrupted) as caught:
        api.session(tmp_path).map("acme", ROWS, frame(100), engine=api.engine())

    rows = caught.value.partial
    assert len(rows) == 100
    assert rows["status"].eq(200).sum() == 16
    assert rows["error"].str.startswith("interrupted").sum() == 8
    assert rows["error"].eq("not sent").sum() == 76


def test_a_login_that_is_over_keeps_what_is_done(api, tmp_path):
    """The error is the one that says what to do; the rows are with it."""
    session = api.session(tmp_path)
    session.adopt("acme", {"access_token": "plainly-fake-adopted", "expires_in": 45})

    with pytest.raises(LoginRequired) as caught:
        session.map("acme", ROWS, frame(10), engine=api.engine(), rate=0.1)

    assert caught.value.partial["status"].eq(200).sum() == 5


def test_a_second_factor_is_the_result_of_its_row():
    """Nothing waits for the user: the row says what it is, and the others go on."""
    target = "paysafe/liberty@demo"
    session = Session(environ={})
    session.token(target)
    session.demo(target).simulator.use_sca("OUTSOURCED")
    request = (
        "POST /v1/transactions/transfers\nContent-Type: application/json\n"
        'Idempotency-Key: {{$guid}}\n\n{"sourceAccountId": "{{source}}", '
        '"destinationAccountId": "300103", "amount": 1250, "currencyCode": "EUR"}'
    )
    rows = pd.DataFrame({"source": ["300101", "nobody", "300101"]})

    result = session.map(target, request, rows)

    errors = result["error"].str.contains("second factor").tolist()
    assert errors == [True, False, True]
    assert result["status"].tolist()[::2] == [401, 401]
    assert result["attempts"].eq(1).all()
    with pytest.raises(CommandError, match="waits"):
        session.pending()
