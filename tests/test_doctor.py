"""`oauthmagic doctor`: what this host can do, in words, and without a secret."""

from __future__ import annotations

import json
import os
import sys
import types

import pytest

from oauthmagic.cli import examinations, main
from oauthmagic.oauth.redirect_ways import RunningServer
from oauthmagic.store.rendezvous import Rendezvous, user_rendezvous


def findings(**environ):
    """Return what is found with an environment, by what it is about."""
    found = examinations.examine({**os.environ, **environ})
    return {each.about: each for each in found}


def test_it_says_every_thing_in_words_and_exits_with_zero(capsys):
    """A host that lacks something works in another way: that is no failure."""
    code = main(["doctor"])

    said = capsys.readouterr().out
    for about in ("versions", "place", "redirects", "extension", "file store",
                  "keyring", "certificate authorities", "proxies"):  # fmt: skip
        assert about in said
    assert "Pasting the redirected URL always works." in said
    assert code == 0


def test_the_same_for_programs(capsys):
    """One JSON object, with the verdict of each."""
    main(["doctor", "--json"])

    told = json.loads(capsys.readouterr().out)
    assert told["good"] is True
    assert {each["verdict"] for each in told["findings"]} <= {"good", "note"}
    assert {"about", "verdict", "says", "hint"} == set(told["findings"][0])


def test_what_breaks_everything_is_an_exit_code(capsys, monkeypatch):
    """A certificate file that is not there."""
    monkeypatch.setenv("SSL_CERT_FILE", "no-such-file.pem")

    code = main(["doctor"])

    assert code == 1
    assert "BAD   certificate authorities: SSL_CERT_FILE names" in (
        capsys.readouterr().out
    )


def test_no_secret_is_told(capsys, monkeypatch):
    """Neither a proxy's password nor the store's passphrase."""
    monkeypatch.setenv("HTTPS_PROXY", "http://ann:not-a-password@proxy.example:3128")
    monkeypatch.setenv("OAUTHMAGIC_STORE_PASSPHRASE", "not-a-passphrase")

    main(["doctor"])

    said = capsys.readouterr().out
    assert "https through proxy.example" in said
    assert "OAUTHMAGIC_STORE_PASSPHRASE gives it its key" in said
    assert "not-a-pass" not in said


def test_a_server_with_our_route_is_named():
    """As a kernel would find it."""
    place = Rendezvous(user_rendezvous(os.environ["JUPYTER_RUNTIME_DIR"]))
    server = RunningServer(base_url="/user/ann/", port=8000, pid=1)
    with place.announced(server, "fake-name"):
        during = findings()["redirects"].says
    after = findings()["redirects"].says

    assert "/user/ann/oauthmagic/callback by a Jupyter Server (port 8000)" in during
    assert "Jupyter Server (port" not in after


@pytest.mark.parametrize(
    ("environ", "about", "verdict", "says"),
    [
        ({"BINDER_REPO_URL": "x"}, "place", "note", "production is refused"),
        ({"JUPYTERHUB_API_TOKEN": "fake"}, "place", "good", "a JupyterHub"),
        ({"SSH_CONNECTION": "fake"}, "redirects", "note", "by SSH"),
        ({"CURL_CA_BUNDLE": "x"}, "certificate authorities", "note", "not read"),
    ],
)
def test_places_are_recognised(environ, about, verdict, says):
    """By the variables that they set."""
    found = findings(**environ)[about]

    assert found.verdict == verdict
    assert says in found.says


def test_a_keyring_that_keeps_plain_text_is_none(monkeypatch):
    """The passphrase is named instead."""
    kept = types.ModuleType("keyring")
    kept.__spec__ = types.SimpleNamespace()

    class PlaintextKeyring:
        name = "fake"

    kept.get_keyring = PlaintextKeyring
    monkeypatch.setitem(sys.modules, "keyring", kept)

    found = findings()["keyring"]

    assert found.verdict == "note"
    assert "no keyring here that keeps secrets" in found.says


def test_an_examination_that_fails_does_not_end_the_others(monkeypatch):
    """It is said to have failed, and that is not good."""
    monkeypatch.setattr(examinations, "_enabled_in", lambda: 1 / 0)

    found = findings()

    assert found["extension"].verdict == "bad"
    assert "proxies" in found
