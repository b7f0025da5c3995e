"""A client that asks a simulator in process; as small as a client can be.

class Client(InProcessClient):
    origin = "https://acme.demo.invalid"

Client(simulator).post("/token", grant_type="client_credentials", scope=None)
"""

import json
import urllib.parse

from oauthmagic.sandbox.in_process import InProcessTransport
from oauthmagic.transport.wire import WireRequest

FORM = ("Content-Type", "application/x-www-form-urlencoded")
JSON = ("Content-Type", "application/json")


class InProcessClient:
    """Sends requests to the origin of a simulator.

    Args:
        simulator: What has a `wsgi_app`.
        certificate: What the client shows, as DER, or None.
    """

    origin = ""

    def __init__(self, simulator, certificate=None):
        self.transport = InProcessTransport(simulator.wsgi_app, certificate)

    def send(self, method, path, headers=(), body=None):
        """Send a request to a path of the origin, or to an address."""
        url = path if "://" in path else self.origin + path
        request = WireRequest(method=method, url=url, headers=tuple(headers), body=body)
        return self.transport.send(request, timeout=1, limit=1_000_000)

    def post(self, path, *headers, **form):
        """Send a form; what is None is left out."""
        return self.send("POST", path, [FORM, *headers], encoded(form).encode())

    def authorized(self, access_token, method, path, headers=(), body=None):
        """Send an authorized request; a body that is not bytes goes as JSON."""
        sent = [("Authorization", f"Bearer {access_token}"), *headers]
        if body is not None:
            sent.append(JSON)
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.send(method, path, sent, body)


def encoded(parameters):
    """Return parameters for a form or a query; what is None is left out."""
    return urllib.parse.urlencode(
        {name: value for name, value in parameters.items() if value is not None}
    )
