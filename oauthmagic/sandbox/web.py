"""Between the web framework and the simulators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.wrappers import Response

from oauthmagic.sandbox.answers import Answer, invalid, json_answer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment
    from werkzeug.wrappers import Request


def form_of(request: Request) -> dict[str, str]:
    """Return a request's form; empty if its body is none.

    As PHP reads it: only a POST has a form, and the last of equal names counts.
    """
    if request.method != "POST":
        return {}
    return {name: values[-1] for name, values in request.form.lists()}


def json_body(request: Request) -> Any:
    """Return a request's JSON.

    Raises:
        Refusal: The body is of another type, or is not JSON.
    """
    if not request.is_json:
        invalid("Content-Type", "The body must be application/json.")
    try:
        return request.get_json()
    except (HTTPException, RecursionError):
        invalid("body", "The body is not JSON.")


def http_error(error: HTTPException) -> Answer:
    """Return the answer to a request that no endpoint can take; our invention."""
    headers = []
    if isinstance(error, NotFound):
        name, description = "not_found", "There is nothing at this path."
    elif isinstance(error, MethodNotAllowed):
        name, description = "method_not_allowed", "This path has another method."
        headers.append(("Allow", ", ".join(sorted(error.valid_methods or ()))))
    else:
        name, description = "invalid_request", error.name
    members = {"error": name, "error_description": description}
    return json_answer(error.code or 500, members, *headers)


def respond(
    answer: Answer, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    """Send an answer (PEP 3333)."""
    response = Response(answer.body, status=answer.status, headers=list(answer.headers))
    return response(environ, start_response)
