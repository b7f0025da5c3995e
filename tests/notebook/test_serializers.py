"""Nothing that holds a secret leaves the process as bytes (security: A8)."""

from __future__ import annotations

import copyreg
import io
import json
import marshal
import multiprocessing
import pickle
import shelve
import sys
from pathlib import Path

import cloudpickle
import dill
import joblib
import pandas as pd
import pytest
from canaries import files_below, leaks

from oauthmagic import Session
from oauthmagic.errors import SecretRefused
from oauthmagic.transport.wire import WireRequest, WireResponse

ACCESS = "Canary1-Zq9xT7~wB3+kL5/mN8=="
REFRESH = "Canary2-Rf2yH6~pD4+sV1/cX0=="
CLIENT_SECRET = "Canary3 s3cr:t/+&?x%'ü"
CANARIES = (ACCESS, REFRESH, CLIENT_SECRET)


class Server:
    """Repeats what it was sent."""

    def send(self, request, **_):
        """Answer."""
        return WireResponse(status=200, body=json.dumps(dict(request.headers)).encode())


def work(value):
    """What another process would do."""
    return repr(value)


@pytest.fixture(scope="module")
def held():
    """Return everything that a notebook may hold, by name."""
    session = Session(environ={}, transport=Server())
    token = session.adopt(
        "revsto@sandbox",
        {"access_token": ACCESS, "refresh_token": REFRESH, "expires_in": 900},
        credentials={"client_id": "fake", "client_secret": CLIENT_SECRET},
    )
    return {
        "Secret": token.access_token,
        "Token": token,
        "tokens in containers": {"tokens": [token, (token.refresh_token,)]},
        "a bound method": token.access_token.reveal,
        "Credentials": session._keeper.credentials(token),
        "Session": session,
        "Reply": session.api("revsto@sandbox", "GET /x"),
        "WireRequest": WireRequest(
            method="GET", url="https://x.example/", headers=(("x", ACCESS),)
        ),
        "WireResponse": WireResponse(status=200, body=ACCESS.encode()),
        "a DataFrame": pd.DataFrame({"token": [token]}),
    }


def pickled_by_python(value, protocol):
    """Pickle by the pickler that is written in Python."""
    file = io.BytesIO()
    pickle._Pickler(file, protocol).dump(value)
    return file.getvalue()


def shelved(value, folder):
    """Put a value on a shelf."""
    with shelve.open(str(folder / "shelf")) as shelf:  # noqa: S301 - that it cannot
        shelf["value"] = value


def spawned(value, _):
    """Hand a value to a process that is started anew."""
    # A shell of an earlier test put a module of its own there, without this.
    vars(sys.modules["__main__"]).setdefault("__spec__", None)
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=work, args=(value,))
    process.start()


def pooled(value, folder):
    """Hand a value to joblib's workers, as its memory and its pool do."""
    joblib.Memory(folder, verbose=0).cache(work)(value)
    return joblib.hash(value)


WAYS = {
    f"pickle {protocol}": lambda value, _, protocol=protocol: pickle.dumps(
        value, protocol
    )
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
} | {
    "pickle in Python": lambda value, _: pickled_by_python(value, 2),
    "dill": lambda value, _: dill.dumps(value),
    "dill, recursive": lambda value, _: dill.dumps(value, recurse=True, byref=False),
    "cloudpickle": lambda value, _: cloudpickle.dumps(value),
    "a closure, cloudpickle": lambda value, _: cloudpickle.dumps(lambda: value),
    "a closure, dill": lambda value, _: dill.dumps(lambda: value, recurse=True),
    "joblib": lambda value, folder: joblib.dump(value, folder / "x.joblib"),
    "joblib, compressed": lambda value, folder: joblib.dump(
        value, folder / "x.gz", compress=3
    ),
    "shelve": shelved,
    "multiprocessing, spawn": spawned,
    "pandas": lambda value, folder: pd.Series([value], dtype=object).to_pickle(
        folder / "x.pkl"
    ),
}
#: They know nothing but Python's own types, or keep only a hash.
FOREIGN = {
    "joblib, cached": pooled,
    "marshal": lambda value, _: marshal.dumps(value),
    "json": lambda value, _: json.dumps(value),
    "copyreg": lambda value, _: copyreg.__reduce_ex__(value, 0),
    "object.__reduce_ex__": lambda value, _: object.__reduce_ex__(value, 2),
}


def test_every_serializer_is_refused(held, tmp_path, figure):
    """Our error with advice for each object and way; no file has a secret in it."""
    wrong, tried = [], 0
    for name, value in held.items():
        for way, write in WAYS.items():
            tried += 1
            folder = tmp_path / f"{name} {way}"
            folder.mkdir()
            try:
                written = write(value, folder)
            except SecretRefused as error:
                advice = error.hint
                written = f"{error} {advice} {error.__notes__}"
            else:
                advice = ""
            wrong += [] if advice else [(name, way)]
            wrong += leaks({"written": written} | files_below(folder), CANARIES)

    figure("serializers x objects refused with advice", f"{tried - len(wrong)}/{tried}")
    figure("serializers", ", ".join(WAYS))
    assert wrong == []


@pytest.mark.parametrize("way", FOREIGN)
def test_what_knows_only_plain_types_gets_nothing_either(held, way, tmp_path):
    """It fails by itself, or gives what shows nothing."""
    for name, value in held.items():
        try:
            written = FOREIGN[way](value, tmp_path)
        except Exception as error:  # noqa: BLE001 - theirs or ours
            written = [error, repr(error)]
        assert leaks({name: [written, repr(written)]}, CANARIES) == []
    assert leaks(files_below(tmp_path), CANARIES) == []


def test_a_child_that_is_forked_knows_no_more(held):
    """Nothing is pickled there; what it sends back is refused."""
    if "fork" not in multiprocessing.get_all_start_methods():
        pytest.skip("no fork here")
    with pytest.raises(SecretRefused):
        multiprocessing.reduction.ForkingPickler.dumps(held["Token"])


@pytest.mark.parametrize("name", ["t", "t.access_token", "[t]", "{'x': t}"])
def test_store_is_refused_and_writes_no_secret(shell, name):
    """`%store` says what to pass instead."""
    shell.names["got"] = {"access_token": ACCESS, "refresh_token": REFRESH}
    shell("t = %token adopt revsto@demo --from got\ndel got")
    shell(f"%load_ext storemagic\nkept = {name}")

    ran = shell("%store kept")
    shell("%store")

    assert isinstance(ran.error, SecretRefused)
    assert "revsto@demo" in ran.error.hint
    kept = files_below(Path(shell.shell.ipython_dir))
    assert leaks(kept | {"said": ran}, (ACCESS, REFRESH)) == []


def test_a_reply_without_a_secret_can_be_kept(held):
    """What was received is its owner's; a reply that repeats no secret is pickled."""
    reply = held["Reply"]
    plain = WireResponse(status=200, body=b'[{"id": 1}]')
    copy = type(reply)(
        status=plain.status,
        headers=reply.headers,
        body=plain.body,
        elapsed=0.0,
        method="GET",
        url="https://x.example/",
        secrets=reply.secrets,
    )

    assert pickle.loads(pickle.dumps(copy)).json() == [{"id": 1}]  # noqa: S301
    with pytest.raises(SecretRefused, match="repeats a secret"):
        pickle.dumps(reply)


def test_the_advice_can_be_followed(held):
    """The name of the target is all that another process needs."""
    with pytest.raises(SecretRefused) as refused:
        pickle.dumps(held["Token"])

    assert refused.value.hint.startswith("Pass the target's name, 'revsto@sandbox'")
