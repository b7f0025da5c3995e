"""How a redirect comes back, decided from facts alone."""

import pytest

from oauthmagic.oauth.redirect_ways import (
    Facts,
    RunningServer,
    choose_way,
    remote_reason,
)

LAB = RunningServer(base_url="/", port=8888, pid=10)
HUB = RunningServer(base_url="/user/ann/", port=9000, pid=20)
BOTH = Facts(servers=(LAB, HUB), parent=20)
AT_HUB = Facts(servers=(HUB,), parent=20, remote="this kernel runs on a JupyterHub")


@pytest.mark.parametrize(
    ("redirect_uri", "facts", "name", "port", "says"),
    [
        (
            "https://hub.example/user/ann/oauthmagic/callback",
            AT_HUB,
            "jupyter_server",
            0,
            "This notebook's Jupyter Server answers at /user/ann/oauthmagic/callback.",
        ),
        (
            "http://127.0.0.1:8888/oauthmagic/callback",
            BOTH,
            "jupyter_server",
            0,
            "Your Jupyter Server answers at /oauthmagic/callback.",
        ),
        (
            "http://localhost:8888/oauthmagic/callback",
            BOTH,
            "jupyter_server",
            0,
            "Your Jupyter Server",
        ),
        (
            "http://127.0.0.1:9999/oauthmagic/callback",
            BOTH,
            "loopback",
            9999,
            "This kernel listens on 127.0.0.1",
        ),
        ("http://127.0.0.1:0/cb", Facts(), "loopback", 0, "No Jupyter Server"),
        ("http://127.0.0.1/cb", Facts(), "loopback", 0, "No Jupyter Server"),
        (
            "http://127.0.0.1:8000/cb",
            AT_HUB,
            "paste",
            0,
            "this kernel runs on a JupyterHub, so 127.0.0.1 in your browser",
        ),
        ("http://localhost:8000/cb", Facts(), "paste", 0, "RFC 8252, 8.3"),
        ("https://127.0.0.1:8000/cb", Facts(), "paste", 0, "no address of this"),
        ("http://[::1]:8000/cb", Facts(), "paste", 0, "no address of this machine"),
        (
            "https://me.example/callback",
            BOTH,
            "paste",
            0,
            "the redirect_uri has /callback. As for",
        ),
        ("https://[", Facts(), "paste", 0, "cannot be read"),
        ("http://127.0.0.1:99999/", Facts(), "paste", 0, "cannot be read"),
        ("", Facts(no_rendezvous="it is full"), "paste", 0, "it is full"),
    ],
)
def test_the_first_way_that_fits_is_taken_and_says_why(
    redirect_uri, facts, name, port, says
):
    """Jupyter Server's route, then a listener, then pasting."""
    way = choose_way(redirect_uri, facts)

    assert (way.name, way.port) == (name, port)
    assert says in way.why


def test_where_the_browser_is_elsewhere():
    """Said by the environment's own variables."""
    assert remote_reason({"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"})
    assert "JupyterHub" in remote_reason({"JUPYTERHUB_API_TOKEN": "fake"})
    assert "Binder" in remote_reason(
        {"BINDER_REPO_URL": "x", "JUPYTERHUB_API_TOKEN": "fake"}
    )
    assert remote_reason({"JPY_PARENT_PID": "1"}) == ""
