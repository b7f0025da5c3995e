"""What a customer consented to at the simulated STET bank, and what stands for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Login:
    """What a customer consented to, once and strongly authenticated.

    Attributes:
        client_id: To whom.
        bank: At which bank.
        customer: Who; "" where the client came by itself.
        scopes: To what.
        authenticated_at: When the customer was authenticated (aware).
    """

    client_id: str
    bank: str
    customer: str
    scopes: tuple[str, ...]
    authenticated_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """A code or a token, and all that hangs on it.

    Attributes:
        login: What it stands for.
        expires_at: When it ends (aware).
        chain: Number of the login, shared by everything that came from it.
        redirect_uri: Of a code: where it was sent to.
        challenge: Of a code: the code challenge, or "".
    """

    login: Login
    expires_at: datetime
    chain: int
    redirect_uri: str = ""
    challenge: str = field(default="", repr=False)

    def is_good(self, client_id: str, bank: str, now: datetime) -> bool:
        """Say whether this client may use it at this bank by now."""
        return (self.login.client_id, self.login.bank) == (client_id, bank) and (
            now < self.expires_at
        )
