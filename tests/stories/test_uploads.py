"""A document is uploaded, to a real server on this machine."""

from __future__ import annotations

import http.server
import json
import threading

import pytest

import oauthmagic
from oauthmagic.errors import CommandError, RequestSyntaxError

FILE = """
[provider]
name = "acme"
title = "Acme"
grants = ["client_credentials"]

[environments.sandbox]
token_endpoint = "URL/token"
api_base = "URL/api"
"""
UPLOAD = """POST /documents
Content-Type: multipart/form-data; boundary=part

--part
Content-Disposition: form-data; name="type"

{{kind}}
--part
Content-Disposition: form-data; name="file"; filename="passport.png"
Content-Type: image/png

< ./passport.png
--part--
"""
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40


class Documents(http.server.BaseHTTPRequestHandler):
    """Grants tokens and keeps what is uploaded."""

    def do_POST(self):
        """Grant a token, or take a document."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((self.path, dict(self.headers), body))
        answer = {"access_token": "fake-token-1", "token_type": "Bearer"}
        if self.path != "/token":
            answer = {"id": "doc-1", "size": len(body)}
        content = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        """Print nothing."""


@pytest.fixture
def server():
    """A server that takes documents."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Documents) as server:
        server.seen = []
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def session(server, tmp_path, monkeypatch):
    """A session that knows it, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    url = f"http://127.0.0.1:{server.server_port}"
    (tmp_path / "acme.toml").write_text(FILE.replace("URL", url))
    variables = {
        "OAUTHMAGIC_ACME_SANDBOX_CLIENT_ID": "reader",
        "OAUTHMAGIC_ACME_SANDBOX_CLIENT_SECRET": "fake-client-secret",
    }
    with oauthmagic.Session(environ=variables) as session:
        session.add("acme.toml")
        yield session


def test_a_document_arrives_as_it_is(session, server, tmp_path):
    """Fields, the file's name and every byte of it."""
    (tmp_path / "passport.png").write_bytes(PICTURE)

    reply = session.api("acme", UPLOAD, variables={"kind": "PASSPORT"})

    assert reply.json()["id"] == "doc-1"
    path, headers, body = server.seen[-1]
    assert path == "/api/documents"
    assert headers["Content-Type"] == "multipart/form-data; boundary=part"
    assert b"\r\n\r\nPASSPORT\r\n--part\r\n" in body
    assert b"\r\n\r\n" + PICTURE + b"\r\n--part--\r\n" in body


def test_a_preview_shows_parts_and_no_bytes(session, tmp_path):
    """A preview and an exchange name the parts and their sizes."""
    (tmp_path / "passport.png").write_bytes(PICTURE)

    text = session.preview("acme", UPLOAD, variables={"kind": "PASSPORT"})

    assert 'filename="passport.png"' in text
    assert f"({len(PICTURE):,} bytes)" in text
    assert "\x89" not in text
    assert "�" not in text


def test_a_missing_file_is_known_before_anything_is_sent(session, server):
    """Not even a token is asked for."""
    with pytest.raises(RequestSyntaxError, match=r"'./passport.png' in line 12"):
        session.api("acme", UPLOAD, variables={"kind": "PASSPORT"})

    assert server.seen == []


def test_a_folder_and_a_device_are_no_documents(session, server, tmp_path):
    """What is no file, or has no end, is not read."""
    (tmp_path / "passport.png").mkdir()
    with pytest.raises(CommandError, match="not a file that can be sent"):
        session.api("acme", UPLOAD, variables={"kind": "PASSPORT"})
    with pytest.raises(CommandError, match="not a file that can be sent"):
        session.api("acme", "POST /documents\n\n< /dev/zero")

    assert server.seen == []


def test_files_are_bounded_together(session, server, tmp_path, monkeypatch):
    """Two files that are small enough one by one may be too large in all."""
    monkeypatch.setattr("oauthmagic.session.requests.MAX_FILE", 3 << 20)
    (tmp_path / "passport.png").write_bytes(bytes(2 << 20))

    with pytest.raises(CommandError, match="larger than 3 MiB"):
        session.api("acme", f"{UPLOAD}\n###\n{UPLOAD}", variables={"kind": "x"})

    assert server.seen == []
