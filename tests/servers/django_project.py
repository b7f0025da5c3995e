"""A Django project with django-oauth-toolkit, as one script that serves itself.

It reads its registrations as one line of JSON from standard input, creates its
database in the directory named by its argument, prints the port that it listens
on, and ends when its standard input is closed: it never outlives the tests.

    python django_project.py STATE_DIRECTORY

Authorization server under `/o/`, resource server under `/api/`, and the number of
requests for each path at `/debug/requests`.
"""

# ruff: noqa: PLC0415 - most of Django can be imported only when it is set up

from __future__ import annotations

import json
import os
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django
from django.conf import settings
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.http import HttpRequest, JsonResponse

#: What `/api/items` lists; given by the tests.
ITEMS: list[dict[str, Any]] = []


def configure(state: Path) -> None:
    """Set Django up with a database in `state`."""
    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": state / "db.sqlite3",
                # Each request has its own thread: a writer waits for the other
                # from its first statement on, and does not fail half-way.
                "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE"},
            }
        },
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "oauth2_provider",
        ],
        OAUTH2_PROVIDER={
            "ACCESS_TOKEN_EXPIRE_SECONDS": 300,
            "DEFAULT_SCOPES": ["read"],
            "REFRESH_TOKEN_REUSE_PROTECTION": True,
            "ROTATE_REFRESH_TOKEN": True,
            "SCOPES": {
                "read": "Read items",
                "write": "Change items",
                "introspection": "Introspect tokens",
            },
        },
        # Slow hashes protect nothing here.
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        # This script's `urlpatterns`.
        ROOT_URLCONF=__name__,
        SECRET_KEY="not-a-secret",
        USE_TZ=True,
    )
    django.setup()


def register(registrations: dict[str, Any]) -> None:
    """Create the tables, the user and the clients."""
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from oauth2_provider.models import Application

    call_command("migrate", verbosity=0)
    user = get_user_model().objects.create_user(
        registrations["username"], password=registrations["password"]
    )
    for client in registrations["clients"]:
        Application.objects.create(
            authorization_grant_type=client["grant"].replace("_", "-"),
            client_id=client["client_id"],
            client_secret=client["client_secret"],
            client_type=Application.CLIENT_CONFIDENTIAL,
            name=client["client_id"],
            # Without a user, so that client credentials act for the client alone.
            user=user if client["grant"] == "password" else None,
        )
    ITEMS.extend(registrations["items"])


def routes() -> list[Any]:
    """Return the URL patterns: the toolkit's own, and two protected resources."""
    from django.http import JsonResponse
    from django.urls import include, path
    from oauth2_provider.decorators import protected_resource_metadata
    from oauth2_provider.urls import metadata_urlpatterns

    @protected_resource_metadata(["read"])
    def items(_request: HttpRequest) -> JsonResponse:
        return JsonResponse(ITEMS, safe=False)

    @protected_resource_metadata()
    def whoami(request: HttpRequest) -> JsonResponse:
        owner = request.resource_owner
        return JsonResponse({"username": owner.get_username() if owner else None})

    return [
        path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
        # RFC 8414, section 3.1, and RFC 9728 look at the root of the origin.
        path("", include(metadata_urlpatterns)),
        path("api/items", items),
        path("api/whoami", whoami),
    ]


class CountedRequests:
    """A WSGI application in front of another, that counts by path."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self._application = application
        self._counter: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer `/debug/requests`; count all others and pass them on."""
        path = environ["PATH_INFO"]
        with self._lock:
            if path == "/debug/requests":
                body = json.dumps(self._counter).encode()
            else:
                self._counter[path] += 1
                body = None
        if body is None:
            return self._application(environ, start_response)
        start_response("200 OK", [("Content-Type", "application/json")])
        return [body]


def main() -> None:
    """Serve until standard input is closed."""
    from django.core.wsgi import get_wsgi_application

    global urlpatterns  # noqa: PLW0603 - Django finds its routes by this name
    registrations = json.loads(sys.stdin.readline())
    configure(Path(sys.argv[1]))
    register(registrations)
    urlpatterns = routes()
    server = ThreadedWSGIServer(("127.0.0.1", 0), WSGIRequestHandler)
    server.daemon_threads = True
    server.set_app(CountedRequests(get_wsgi_application()))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    sys.stdin.read()
    os._exit(0)


urlpatterns: list[Any] = []

if __name__ == "__main__":
    main()
