"""What a bank's customer sees: plain pages with a button for each way it can end.

Source: the provider's page: the customer comes back when consent is given, when it
is refused, and when a screen times out; after four idle minutes a payment screen
ends without coming back. That other screens have the same four minutes is our
assumption, and that logging in is left out is the simulation.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal, NoReturn
from urllib.parse import urlencode

from oauthmagic.errors import UnknownName
from oauthmagic.sandbox.answers import Answer, Refusal

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping
    from datetime import datetime

Decision = Literal["accept", "refuse", "timeout"]
#: Decision to what its button says.
DECISIONS: Final[dict[str, str]] = {
    "accept": "Accept",
    "refuse": "Refuse",
    "timeout": "Let the time run out",
}
IDLE: Final = timedelta(minutes=4)
_IDENTIFIER_BYTES: Final = 24
_HEADERS: Final = (
    ("Content-Type", "text/html; charset=utf-8"),
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Referrer-Policy", "no-referrer"),
)
_PAGE: Final = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
</head>
<body>
<main>
<h1>{title}</h1>
<p><strong>Simulation.</strong> No bank, no customer and no money are involved.</p>
{content}
</main>
</body>
</html>
"""
_FORM: Final = """\
<dl>
{facts}
</dl>
<form method="post" action="{action}">
<input type="hidden" name="screen" value="{identifier}">
<p>{buttons}</p>
</form>
<p>After four minutes the time is over.</p>"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Screen:
    """A question to the customer.

    Attributes:
        title: What the page is about.
        facts: What the customer is shown: names and values.
        action: The path that the decision is sent to.
        end: Does what was decided; returns where the browser goes, or None.
    """

    title: str
    facts: tuple[tuple[str, str], ...]
    action: str
    end: Callable[[Decision], str | None]


class Screens:
    """The screens that wait for a decision; each is decided once.

    Args:
        clock: The time (aware).
        randomness: Where their identifiers come from.
    """

    def __init__(
        self, clock: Callable[[], datetime], randomness: random.Random
    ) -> None:
        self._clock = clock
        self._randomness = randomness
        self._open: dict[str, tuple[Screen, datetime]] = {}

    def open(self, screen: Screen) -> str:
        """Keep a screen and return its identifier."""
        now = self._clock()
        # What nobody decides would be kept for ever.
        self._open = {
            key: each for key, each in self._open.items() if now < each[1] + 2 * IDLE
        }
        identifier = self._randomness.randbytes(_IDENTIFIER_BYTES).hex()
        self._open[identifier] = screen, now
        return identifier

    def page(self, identifier: str) -> Answer:
        """Return the page of an open screen."""
        screen, _ = self._open[identifier]
        facts = "\n".join(
            f"<dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd>"
            for name, value in screen.facts
        )
        buttons = "\n".join(
            f'<button type="submit" name="decision" value="{decision}">{text}</button>'
            for decision, text in DECISIONS.items()
        )
        form = _FORM.format(
            facts=facts,
            action=html.escape(screen.action),
            identifier=identifier,
            buttons=buttons,
        )
        return _page(200, screen.title, form)

    def decide(self, identifier: str, decision: str) -> Answer:
        """End a screen and return where that leads: a redirect, or a page.

        Args:
            identifier: As returned by `open`.
            decision: A key of `DECISIONS`.

        Raises:
            UnknownName: There is no such decision.
            Refusal: There is no such screen, or it was decided before.
        """
        if decision not in DECISIONS:
            raise UnknownName("decision", decision, DECISIONS)
        screen, begun = self._open.pop(identifier, (None, self._clock()))
        if screen is None:
            refuse_page("This page was decided before, or never opened.")
        if self._clock() > begun + IDLE:
            decision = "timeout"
        location = screen.end(decision)  # type: ignore[arg-type] # looked up above
        if location is None:
            return _page(
                200, "The time is over", "<p>Start again at your provider.</p>"
            )
        return redirect(location)


def redirect(location: str) -> Answer:
    """Return a redirect of the customer's browser (RFC 6749, section 4.1.2)."""
    return Answer(
        status=302, headers=(("Location", location), ("Cache-Control", "no-store"))
    )


def with_parameters(uri: str, parameters: Mapping[str, str]) -> str:
    """Return a URI with parameters added to its query; empty ones are left out."""
    query = urlencode({name: value for name, value in parameters.items() if value})
    return f"{uri}{'&' if '?' in uri else '?'}{query}"


def refuse_page(why: str) -> NoReturn:
    """Refuse with a page, and without any redirect (RFC 6749, section 4.1.2.1).

    Raises:
        Refusal: Always.
    """
    raise Refusal(_page(400, "This cannot go on", f"<p>{html.escape(why)}</p>"))


def _page(status: int, title: str, content: str) -> Answer:
    body = _PAGE.format(title=html.escape(title), content=content)
    return Answer(status=status, headers=_HEADERS, body=body.encode())
