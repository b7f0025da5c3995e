"""A reply goes to disk: large ones, broken ones, and ones that are no success."""

from __future__ import annotations

import contextlib
import gzip
import http.server
import stat
import threading
import tracemalloc

import pytest
from scales import scaled

import oauthmagic
from oauthmagic.errors import (
    CommandError,
    ConnectionLost,
    DeadlineExceeded,
    ReplyError,
    ResponseRefused,
)
from oauthmagic.session import saving

FILE = """
[provider]
name = "acme"
title = "Acme"
grants = ["client_credentials"]
token_endpoint_auth_method = "none"

[environments.sandbox]
token_endpoint = "URL/token"
api_base = "URL/api"
"""
LARGE = scaled(48, 1024) << 20
JSON = "application/json"
PIECE = bytes(range(256)) * 256
DOCUMENT = b"%PDF-1.7\n\x00\xff\r\n" * 50


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers by path."""

    def do_POST(self):
        """Grant a token."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(
            b'{"access_token": "fake-token-1", "token_type": "Bearer"}', kind=JSON
        )

    def do_GET(self):
        """Answer an API request."""
        name = self.path.rpartition("/")[2]
        self.server.asked.append(name)
        # Whatever the handler does to a client that has gone is not what is tested.
        with contextlib.suppress(OSError):
            getattr(self, f"_{name}")()

    def log_message(self, *_):
        """Print nothing."""

    def _answer(self, body, status=200, length=None, **headers):
        self.send_response(status)
        self.send_header("Content-Type", headers.pop("kind", "application/pdf"))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def _document(self):
        self._answer(
            DOCUMENT,
            Content_Disposition='attachment; filename="../../evil.sh"',
            kind="application/pdf; x=y",
        )

    def _empty(self):
        self._answer(b"")

    def _gone(self):
        self._answer(b'{"message": "no such document"}', status=404, kind=JSON)

    def _packed(self):
        self._answer(gzip.compress(DOCUMENT), Content_Encoding="gzip")

    def _cut(self):
        self._answer(DOCUMENT, length=2 * len(DOCUMENT))

    def _slow(self):
        self._answer(DOCUMENT, length=2 * len(DOCUMENT))
        self.server.over.wait(10)

    def _large(self):
        self._answer(b"", length=LARGE)
        for _ in range(LARGE // len(PIECE)):
            self.wfile.write(PIECE)

    def _once(self):
        if self.server.asked.count("once") == 1:
            self._answer(b"busy", status=503, Retry_After="0")
        else:
            self._document()


@pytest.fixture
def server():
    """A server that answers by path."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        server.asked, server.over = [], threading.Event()
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.over.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def session(server, tmp_path, monkeypatch):
    """A session that knows it, in a folder of its own."""
    folder = tmp_path / "notebook"
    folder.mkdir()
    monkeypatch.chdir(folder)
    url = f"http://127.0.0.1:{server.server_port}"
    (tmp_path / "acme.toml").write_text(FILE.replace("URL", url))
    variables = {"OAUTHMAGIC_ACME_SANDBOX_CLIENT_ID": "reader"}
    with oauthmagic.Session(environ=variables, sleep=lambda _: None) as session:
        session.add(tmp_path / "acme.toml")
        session.token("acme")
        yield session


def there(tmp_path):
    """Return the names of all files in the notebook's folder."""
    return sorted(path.name for path in (tmp_path / "notebook").iterdir())


def test_a_document_is_saved_as_it_is(session, tmp_path):
    """Where the user said; the name that the server sends has no part in it."""
    reply = session.api("acme", "GET /document", save="passport.pdf")

    path = tmp_path / "notebook" / "passport.pdf"
    assert path.read_bytes() == DOCUMENT
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert there(tmp_path) == ["passport.pdf"]
    assert reply.saved.size == len(DOCUMENT)
    assert reply.saved.content_type == "application/pdf"
    assert f"saved as passport.pdf ({len(DOCUMENT):,} bytes, application/pdf)" in repr(
        reply
    )
    assert reply.body == b""


@pytest.mark.parametrize("name", ["empty", "packed", "once"])
def test_other_replies_are_saved_whole(session, tmp_path, name):
    """An empty one, a compressed one, and one that came at the second try."""
    session.api("acme", f"GET /{name}", save="x")

    assert there(tmp_path) == ["x"]
    saved = (tmp_path / "notebook" / "x").read_bytes()
    assert saved == (b"" if name == "empty" else DOCUMENT)


def test_a_large_reply_does_not_go_through_memory(session, tmp_path, figure):
    """The memory that it takes does not depend on its size."""
    session.api("acme", "GET /document", save="warm")
    tracemalloc.start()
    try:
        session.api("acme", "# @timeout 5m\nGET /large", save="large")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert (tmp_path / "notebook" / "large").stat().st_size == LARGE
    figure(f"saving {LARGE >> 20} MiB: memory at most", f"{peak / 2**20:.1f} MiB")
    assert peak < 8 << 20


def test_an_error_is_shown_and_not_saved(session, tmp_path):
    """What a server says of a refusal is a reply as ever."""
    reply = session.api("acme", "GET /gone", save="x")

    assert reply.json()["message"] == "no such document"
    assert reply.saved is None
    assert "not saved" in repr(reply)
    assert there(tmp_path) == []


@pytest.mark.parametrize(
    ("request_text", "error"),
    [("GET /cut", ConnectionLost), ("# @timeout 300ms\nGET /slow", DeadlineExceeded)],
)
def test_half_a_document_is_removed(session, tmp_path, request_text, error):
    """A connection that breaks and a deadline leave nothing behind."""
    with pytest.raises(error):
        session.api("acme", request_text, save="x")

    assert there(tmp_path) == []


def test_an_older_file_stays_where_the_new_one_breaks(session, tmp_path):
    """With `--overwrite`, too, until the new one is whole."""
    (tmp_path / "notebook" / "x").write_text("older")

    with pytest.raises(ConnectionLost):
        session.api("acme", "GET /cut", save="x", overwrite=True)
    assert (tmp_path / "notebook" / "x").read_text() == "older"

    session.api("acme", "GET /document", save="x", overwrite=True)
    assert (tmp_path / "notebook" / "x").read_bytes() == DOCUMENT
    assert there(tmp_path) == ["x"]


def test_a_disk_that_is_full_is_told_and_cleaned(session, tmp_path, monkeypatch):
    """The error names the file and the cause."""

    class Full:
        def __init__(self, file):
            self._file, self.name = file, file.name

        def write(self, _):
            raise OSError(28, "No space left on device")

        def close(self):
            self._file.close()

    real = saving.tempfile.NamedTemporaryFile
    monkeypatch.setattr(
        saving.tempfile, "NamedTemporaryFile", lambda **options: Full(real(**options))
    )
    with pytest.raises(ReplyError, match=r"saved as 'x': No space left on device"):
        session.api("acme", "GET /document", save="x")

    assert there(tmp_path) == []


def test_a_file_is_bounded(session, tmp_path, monkeypatch):
    """A server that does not end fills no disk."""
    monkeypatch.setattr(saving.SavedFile, "limit", 1 << 20)

    with pytest.raises(ResponseRefused, match="larger than 1 MiB"):
        session.api("acme", "GET /large", save="x")

    assert there(tmp_path) == []


@pytest.mark.parametrize(
    ("path", "message"),
    [("there", "there already"), (".", "is no file"), ("no/x", "There is no folder")],
)
def test_a_place_that_will_not_do_is_known_before(
    session, server, tmp_path, path, message
):
    """Nothing is sent, and nothing is overwritten without saying so."""
    (tmp_path / "notebook" / "there").write_text("older")

    with pytest.raises(CommandError, match=message) as refused:
        session.api("acme", "GET /document", save=path)

    assert refused.value.hint
    assert server.asked == []
    assert (tmp_path / "notebook" / "there").read_text() == "older"


def test_one_file_takes_one_reply(session, server):
    """Two requests for one file are refused before anything is sent."""
    with pytest.raises(CommandError, match="2 requests"):
        session.api("acme", "GET /document\n###\nGET /document", save="x")

    assert server.asked == []


def test_progress_is_told_where_it_takes_a_while(tmp_path):
    """From half a second on, four times a second, with the size if it is known."""
    told, now = [], [0.0]
    file = saving.SavedFile(
        tmp_path / "x", progress=lambda *each: told.append(each), clock=lambda: now[0]
    )
    file.begin(200, (("content-length", "100"),))
    for _ in range(10):
        now[0] += 0.2
        file.write(b"0123456789")
    file.finish()

    assert told == [(30, 100), (50, 100), (70, 100), (90, 100)]


def test_what_came_there_meanwhile_is_not_replaced(tmp_path):
    """Two cells that save under one name: the second is told."""
    first, second = (saving.SavedFile(tmp_path / "x") for _ in "12")
    for file in (first, second):
        file.begin(200, ())
        file.write(b"1" if file is first else b"2")

    first.finish()
    with pytest.raises(ReplyError, match="File exists"):
        second.finish()

    assert (tmp_path / "x").read_bytes() == b"1"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_demo_saves_as_well(tmp_path):
    """In process there is no socket, and the same promise."""
    with oauthmagic.Session() as session:
        products = "GET /distributor/v1/products"
        body = session.api("revsto@demo", products).body
        reply = session.api("revsto@demo", products, save=tmp_path / "x.json")

    assert (tmp_path / "x.json").read_bytes() == body
    assert reply.saved.size == len(body)
