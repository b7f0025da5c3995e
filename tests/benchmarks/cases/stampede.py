"""200 callers find the token unusable at once: expired here, or revoked there."""

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from measuring import CannotRun, Table
from peers import SYNC, at_once, authlib_async, our_session
from servers import PROVIDER, SIZE, TOKEN

CALLERS = 200
THREADS = [name for name in SYNC if name not in ("httpx", "httpx2")]


class OneTime(ThreadingHTTPServer):
    """Renews a token slowly, takes each refresh token once, and counts."""

    request_queue_size = 512
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.guard = threading.Lock()
        self.asked = 0


class Answers(BaseHTTPRequestHandler):
    """`/token` and `/api`."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer with a record where the token is the renewed one."""
        held = self.headers.get("Authorization", "")
        known = held == f"Bearer {TOKEN}-1"
        self.answer(200 if known else 401, {"note": "x" * (SIZE - 12)} if known else {})

    def do_POST(self) -> None:
        """Renew once; what comes later uses a refresh token again, and ends it."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with self.server.guard:
            self.server.asked += 1
            asked = self.server.asked
        threading.Event().wait(0.1)
        if asked > 1:
            self.answer(400, {"error": "invalid_grant"})
        else:
            token = {"access_token": f"{TOKEN}-1", "refresh_token": "bench-refresh-1"}
            self.answer(200, token | {"token_type": "Bearer", "expires_in": 3600})

    def answer(self, status: int, what: dict) -> None:
        """Send an answer."""
        body = json.dumps(what).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if status == 401:
            self.send_header("WWW-Authenticate", 'Bearer error="invalid_token"')
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_) -> None:
        """Say nothing."""


def served(go_of):
    """Return a way that has a server of its own, in its process."""

    def ready(setting):
        server = OneTime()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"
        Path(setting["folder"], f"{server.server_port}.toml").write_text(
            PROVIDER.format(base=base, authority="")
        )
        own = setting | {"base": base, "scheme": str(server.server_port), "ca": ""}
        go = go_of(own, expired=setting["expired"])

        def counted():
            return {"answered": go(), "tokens": server.asked}

        return counted

    return ready


def in_threads(name):
    """Return what 200 threads with one client do."""

    def ready(setting, *, expired):
        get = SYNC[name](setting, expired=expired)

        def call(_):
            try:
                return len(get()) == SIZE
            except Exception:  # noqa: BLE001 - it counts as not answered
                return False

        def go():
            with ThreadPoolExecutor(CALLERS) as threads:
                return sum(threads.map(call, range(CALLERS)))

        return go

    return ready


def authlib_tasks(setting, *, expired):
    """Return what 200 tasks with Authlib's async client do."""
    many = authlib_async(setting, with_httpx=False, expired=expired)

    def go():
        try:
            return sum(len(each) == SIZE for each in asyncio.run(many(CALLERS)))
        except Exception:  # noqa: BLE001 - as above
            return 0

    return go


def our_tasks(setting, *, expired):
    """Return what 200 tasks with our async client do."""
    session = our_session(setting, expired=expired)
    if not hasattr(session, "aclient"):
        msg = "this checkout has no session.aclient() yet"
        raise CannotRun(msg)

    async def many():
        async with session.aclient("bench") as client:

            async def one():
                return (await client.get("/api")).content

            return await at_once(CALLERS, CALLERS, one)

    return lambda: sum(len(each) == SIZE for each in asyncio.run(many()))


WAYS = {f"{name}, threads": served(in_threads(name)) for name in THREADS} | {
    "Authlib on httpx2, async, tasks": served(authlib_tasks),
    "oauthmagic session.aclient(), tasks": served(our_tasks),
}


def measure(bench):
    """Return the table: counts, no times."""
    import tempfile

    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("expired", "revoked"):
            setting = {"folder": folder, "expired": kind == "expired"}
            found[kind] = bench.ways("stampede", WAYS, setting)
    rows = [
        (
            name,
            *(
                cell
                for kind in found
                for cell in (
                    seen(found[kind].get(name), "tokens"),
                    seen(found[kind].get(name), "answered"),
                )
            ),
        )
        for name in WAYS
    ]
    head = (
        *("client", "expired: token requests", "answered"),
        *("revoked: token requests", "answered"),
    )
    return [Table(f"A stampede of {CALLERS}", head, rows)]


def seen(measured, what):
    """Return the smallest and largest count."""
    if not measured:
        return "-"
    counts = sorted({each[what] for each in measured})
    return f"{counts[0]}" if len(counts) == 1 else f"{counts[0]}-{counts[-1]}"
