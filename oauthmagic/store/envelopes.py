"""A token as a sealed record: what it is and for whom in clear, and sealed with it.

The first lines say which version a record has and of which target it is. They are
associated data of what is sealed, as is the record's name, so that a record is good
under its own name, target and version only.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from oauthmagic.errors import OAuthMagicError, StoreDamaged
from oauthmagic.oauth.targets import parse_target
from oauthmagic.store.records import from_bytes, key_bytes, to_bytes

if TYPE_CHECKING:
    from oauthmagic.keys.sealing import Seal
    from oauthmagic.oauth.tokens import TokenKey
    from oauthmagic.store.records import ClockOf, Kept

#: The version of the records; another is not read.
MAGIC = b"oauthmagic token 1"


class Envelopes:
    """Seals tokens as records, and opens them.

    Args:
        seal: Seals them.
        clock_of: From a target to the time of its tokens.
    """

    def __init__(self, seal: Seal, clock_of: ClockOf) -> None:
        self._seal = seal
        self._clock_of = clock_of

    def name(self, key: TokenKey) -> str:
        """Return the name of a key's record, a keyed hash of what it belongs to."""
        return self._seal.name(key_bytes(key))

    def sealed(self, name: str, kept: Kept) -> bytes:
        """Return a token as the record of a name."""
        target = kept.token.target.encode()
        body = self._seal.seal(to_bytes(kept), _associated(name, target))
        return b"\n".join((MAGIC, target, body))

    def opened(self, name: str, record: bytes) -> Kept:
        """Return the token of a record.

        Raises:
            StoreDamaged: It is not as it was sealed, or not under this name.
        """
        head, target, sealed = _split(record)
        kept = None
        if head == MAGIC:
            try:
                plain = self._seal.open(sealed, _associated(name, target))
            except ValueError:
                pass
            else:
                kept = from_bytes(plain, self._clock_of)
                del plain  # no frame of an error keeps it
        if kept is None or kept.token.target.encode() != target:
            msg = "A record of the token store was changed, cut or sealed otherwise."
            raise StoreDamaged(msg)
        return kept


def said_target(record: bytes) -> str:
    """Return which target a record says it is of, or ""; nothing proves it."""
    with suppress(OAuthMagicError, UnicodeDecodeError):
        said = _split(record)[1].decode()
        if str(parse_target(said, default_environment="")) == said:
            return said
    return ""


def _split(record: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the lines in clear and what is sealed."""
    head, _, rest = record.partition(b"\n")
    target, _, sealed = rest.partition(b"\n")
    return head, target, sealed


def _associated(name: str, target: bytes) -> bytes:
    """Return what a record is good for; no two differ only in where a part ends."""
    return b"\n".join((MAGIC, name.encode(), target))
