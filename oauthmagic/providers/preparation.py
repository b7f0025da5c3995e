"""What a provider gets to rewrite an API request with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from oauthmagic.keys.preflight import Check
    from oauthmagic.oauth.credentials import Credentials
    from oauthmagic.oauth.tokens import Clock
    from oauthmagic.transport.wire import WireRequest

    #: (credentials, scopes, now) -> what was looked at
    Preflight = Callable[[Credentials, tuple[str, ...], datetime], tuple[Check, ...]]
    Prepare = Callable[[WireRequest, "Preparation"], WireRequest]


@dataclass(frozen=True, kw_only=True, slots=True)
class Preparation:
    """Everything but the request itself.

    Attributes:
        credentials: The client's credentials, certificates included.
        settings: The provider's settings in force.
        clock: The time.
        guid: Makes a new identifier.
    """

    credentials: Credentials
    settings: Mapping[str, str]
    clock: Clock
    guid: Callable[[], str]
