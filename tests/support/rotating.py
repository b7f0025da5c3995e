"""A token endpoint over a socket that replaces refresh tokens and detects their reuse.

A refresh token is good once. Whoever sends one a second time has stolen it, or lost
the race: the whole family is revoked (RFC 9700, section 4.14.2). A forgiving server
takes the last one again while nobody has used its successor, as many do.
"""

import itertools
import json
import threading
import urllib.parse
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Family:
    """The refresh tokens that came one from another."""

    current: str
    before: str = ""
    is_revoked: bool = False
    access_tokens: set = field(default_factory=set)


class RotatingServer:
    """The server, with what it has seen.

    Args:
        expires_in: The life of its access tokens, in seconds.
        forgives: Whether the last refresh token may be sent again while its successor
            is unused.
        before_answer: Called with each token request that was granted, after the
            rotation and before its answer; whatever it returns instead of None is
            done with the connection: "cut" closes it.

    Attributes:
        refreshes: How many were granted.
        reuses: How many refresh tokens came that had been replaced.
        api_calls: How many requests came to `/ping`.
    """

    def __init__(self, *, expires_in=300, forgives=False, before_answer=None):
        self.expires_in = expires_in
        self.forgives = forgives
        self.before_answer = before_answer or (lambda: None)
        self.refreshes = 0
        self.reuses = 0
        self.api_calls = 0
        self._families = []
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                size = int(self.headers["Content-Length"])
                form = dict(urllib.parse.parse_qsl(self.rfile.read(size).decode()))
                status, members = outer._token(form)
                if status == 200 and outer.before_answer() == "cut":
                    self.close_connection = True
                    return
                self._answer(status, members)

            def do_GET(self):
                status, members = outer._ping(self.headers.get("Authorization", ""))
                self._answer(status, members)

            def _answer(self, status, members):
                body = json.dumps(members).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, *_):
                """Say nothing of clients that were killed."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def revoked(self):
        """How many families were revoked because a refresh token came twice."""
        return sum(family.is_revoked for family in self._families)

    def new_family(self):
        """Log somebody in; return the refresh token."""
        with self._lock:
            family = Family(current=f"fake-refresh-{next(self._numbers)}")
            self._families.append(family)
            return family.current

    def provider_file(self, directory):
        """Write the file that describes this server; return its path."""
        path = directory / "acme.toml"
        path.write_text(f"""
[provider]
name = "acme"
title = "Acme"
grants = ["refresh_token"]
token_endpoint_auth_method = "none"
[environments.sandbox]
token_endpoint = "{self.url}/token"
api_base = "{self.url}"
""")
        return path

    def close(self):
        """End it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _token(self, form):
        with self._lock:
            asked = form.get("refresh_token", "")
            for family in self._families:
                if family.is_revoked or asked not in (family.current, family.before):
                    continue
                if asked == family.before and not self.forgives:
                    continue
                family.before = asked
                family.current = f"fake-refresh-{next(self._numbers)}"
                access_token = f"fake-access-{next(self._numbers)}"
                family.access_tokens.add(access_token)
                self.refreshes += 1
                return 200, {
                    "access_token": access_token,
                    "token_type": "Bearer",
                    "expires_in": self.expires_in,
                    "refresh_token": family.current,
                }
            self.reuses += 1
            for family in self._families:
                if asked == family.before:
                    family.is_revoked = True
            return 400, {"error": "invalid_grant"}

    def _ping(self, authorization):
        with self._lock:
            self.api_calls += 1
            token = authorization.removeprefix("Bearer ")
            good = any(
                token in family.access_tokens and not family.is_revoked
                for family in self._families
            )
            return (200, {"pong": True}) if good else (401, {})
