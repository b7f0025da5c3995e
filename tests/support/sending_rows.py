"""A process that sends rows until it is killed, and a server that counts them.

python sending_rows.py PORT FOLDER COUNT [TO]
"""

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd

from oauthmagic import Session

PROVIDER = """
[provider]
name = "acme"
grants = ["client_credentials"]

[environments.sandbox]
token_endpoint = "http://127.0.0.1:{port}/token"
api_base = "http://127.0.0.1:{port}"
"""


class RowServer:
    """Answers rows on this machine; gives a token to whoever asks.

    Args:
        pause: Seconds that each row takes.

    Attributes:
        asked: The numbers of the rows, in the order in which they came.
        port: Where it is.
    """

    def __init__(self, pause=0.0):
        self.asked = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                self._answer(
                    {"access_token": "plainly-fake-token", "token_type": "Bearer"}
                )

            def do_GET(self):
                row = int(self.path.rpartition("/")[2])
                outer.asked.append(row)
                time.sleep(pause)
                self._answer({"row": row})

            def _answer(self, members):
                body = json.dumps(members).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


def main(port, folder, count, to=""):
    """Send rows with a checkpoint; write what came of them."""
    file = Path(folder) / "acme.toml"
    file.write_text(PROVIDER.format(port=port), encoding="utf-8")
    with Session(
        environ={
            "OAUTHMAGIC_ACME_SANDBOX_CLIENT_ID": "me",
            "OAUTHMAGIC_ACME_SANDBOX_CLIENT_SECRET": "not-a-real-secret",
        }
    ) as session:
        session.add(file)
        result = session.map(
            "acme",
            "GET /rows/{{id}}",
            pd.DataFrame({"id": range(int(count))}),
            concurrency=8,
            checkpoint=Path(folder) / "rows.checkpoint",
            to=to or None,
        )
    rows = pd.read_parquet(to) if to else result
    sys.stdout.write(json.dumps(rows["row"].tolist()))


if __name__ == "__main__":
    main(*sys.argv[1:])
