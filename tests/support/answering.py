"""An API and its token endpoint in this process, and an engine that answers at once.

api = Api()
session = api.session(tmp_path)
session.map("acme", "GET /rows/{{id}}", frame, engine=api.engine())
assert api.token_requests == 1
"""

import json
from datetime import UTC, datetime, timedelta

from oauthmagic import Session
from oauthmagic.errors import OAuthMagicError
from oauthmagic.transport.engines import Arrival
from oauthmagic.transport.wire import WireResponse

PROVIDER = """
[provider]
name = "acme"
grants = ["client_credentials"]

[environments.sandbox]
token_endpoint = "https://id.acme.example/token"
api_base = "https://api.acme.example/v1"
"""


def answer(status=200, members=None, **headers):
    """Return a response of JSON."""
    body = b"" if members is None else json.dumps(members).encode()
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return WireResponse(status=status, headers=named, body=body, elapsed=0.01)


class Api:
    """What is asked, with everything that it was asked.

    Args:
        decide: Takes a request, returns its answer or raises; without it, every row is
            answered with its own path.
        life: Seconds that a token is good.

    Attributes:
        asked: The requests of rows, in the order in which they came.
        token_requests: How many tokens were given.
        now: Its time; nothing but a wait moves it.
        waits: The waits.
    """

    def __init__(self, decide=None, life=300):
        self.decide = decide or (lambda request: answer(members={"url": request.url}))
        self.life = life
        self.asked = []
        self.token_requests = 0
        self.now = datetime(2030, 1, 1, tzinfo=UTC)
        self.waits = []
        self.valid = ""

    def session(self, folder, **options):
        """Return a session that knows `acme`, and this API alone."""
        (folder / "acme.toml").write_text(PROVIDER, encoding="utf-8")
        session = Session(
            environ={
                "OAUTHMAGIC_ACME_SANDBOX_CLIENT_ID": "me",
                "OAUTHMAGIC_ACME_SANDBOX_CLIENT_SECRET": "not-a-real-secret",
            },
            transport=self,
            clock=lambda: self.now,
            sleep=self.wait,
            randomness=bytes,
            **options,
        )
        session.add(folder / "acme.toml")
        return session

    def wait(self, seconds):
        """Let time pass."""
        self.waits.append(seconds)
        self.now += timedelta(seconds=seconds)

    def send(self, request, *, timeout, limit):
        """Answer a token request, or that of a row."""
        del timeout, limit
        if request.url.endswith("/token"):
            self.token_requests += 1
            self.valid = f"plainly-fake-token-{self.token_requests:06}"
            return answer(
                members={
                    "access_token": self.valid,
                    "token_type": "Bearer",
                    "expires_in": self.life,
                },
                content_type="application/json",
            )
        self.asked.append(request)
        return self.decide(request)

    def is_good(self, request):
        """Return whether a request bears the token of now."""
        return dict(request.headers)["authorization"] == f"Bearer {self.valid}"

    def paths(self):
        """Return the last segments of what was asked, without their queries."""
        return [
            request.url.partition("?")[0].rpartition("/")[2] for request in self.asked
        ]

    def engine(self, concurrency=8):
        """Return an engine that has every answer at the next look."""
        return AtOnce(self, concurrency)


class AtOnce:
    """An engine that asks a transport one by one when it is looked at.

    Args:
        transport: What answers.
        concurrency: How many are under way at most.

    Attributes:
        most: How many were under way at once.
    """

    def __init__(self, transport, concurrency):
        self.most = 0
        self._transport = transport
        self._concurrency = concurrency
        self._waiting = []

    def room(self):
        """Return how many more may be submitted."""
        return self._concurrency - len(self._waiting)

    def submit(self, tag, request, *, timeout, limit):
        """Take a request."""
        self._waiting.append((tag, request, timeout, limit))
        self.most = max(self.most, len(self._waiting))

    def poll(self, timeout):
        """Answer everything."""
        del timeout
        waiting, self._waiting = self._waiting, []
        return [self._arrival(*each) for each in waiting]

    def close(self):
        """Forget what is under way."""
        self._waiting = []

    def _arrival(self, tag, request, timeout, limit):
        try:
            response = self._transport.send(request, timeout=timeout, limit=limit)
        except OAuthMagicError as error:
            return Arrival(tag, error=error)
        return Arrival(tag, response)
