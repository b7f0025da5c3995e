"""Authenticated encryption for tokens at rest, and keys from passphrases.

AES-256-GCM (NIST SP 800-38D) with a random nonce for each sealing, and scrypt
(RFC 7914) with bounds on what a file may ask of this machine.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

if TYPE_CHECKING:
    from collections.abc import Callable

    from oauthmagic.redaction import Secret

KEY_BYTES = 32
SALT_BYTES = 16
NONCE_BYTES = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class ScryptCost:
    """How dear it is to guess a passphrase (RFC 7914, section 2).

    Attributes:
        n: CPU and memory cost, a power of two.
        r: Block size.
        p: Parallelization.
    """

    n: int = 1 << 15
    r: int = 8
    p: int = 1

    def is_bearable(self) -> bool:
        """Return whether it is neither too cheap nor more than 128 MiB of memory."""
        power = self.n & (self.n - 1) == 0
        return power and 1 << 14 <= self.n <= 1 << 17 and self.r == 8 and self.p == 1  # noqa: PLR2004


class Seal:
    """Seals texts under a key of its own, and gives names that only it can give.

    Args:
        key: 32 random bytes, or what `key_from_passphrase` made.
        randomness: Returns so many random bytes.
    """

    __slots__ = ("_name", "_open", "_seal")

    def __init__(self, key: bytes, randomness: Callable[[int], bytes]) -> None:
        # One key for each use, so that a name says nothing about a sealed text.
        cipher = AESGCM(_derived(key, b"seal"))
        names = _derived(key, b"names")

        def seal(plain: bytes, associated: bytes) -> bytes:
            nonce = randomness(NONCE_BYTES)
            return nonce + cipher.encrypt(nonce, plain, associated)

        def unseal(sealed: bytes, associated: bytes) -> bytes:
            nonce, text = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
            try:
                return cipher.decrypt(nonce, text, associated)
            except (InvalidTag, ValueError):
                msg = "it was changed, cut or sealed with another key"
                raise ValueError(msg) from None

        def name(text: bytes) -> str:
            return hmac.new(names, text, hashlib.sha256).hexdigest()[:32]

        # Behind closures: a variable inspector lists attributes, not cells.
        self._seal, self._open, self._name = seal, unseal, name

    def seal(self, plain: bytes, associated: bytes) -> bytes:
        """Return a text sealed together with what it belongs to."""
        return self._seal(plain, associated)

    def open(self, sealed: bytes, associated: bytes) -> bytes:
        """Return what was sealed.

        Raises:
            ValueError: It was changed, cut, moved or sealed with another key.
        """
        return self._open(sealed, associated)

    def name(self, text: bytes) -> str:
        """Return 32 hexadecimal digits: the same for the same text and key only."""
        return self._name(text)


def key_from_passphrase(passphrase: Secret, salt: bytes, cost: ScryptCost) -> bytes:
    """Return the key that a passphrase stands for."""
    scrypt = Scrypt(salt=salt, length=KEY_BYTES, n=cost.n, r=cost.r, p=cost.p)
    # An environment's bytes that are no UTF-8 come as halves of surrogate pairs.
    return scrypt.derive(passphrase.reveal().encode("utf-8", "surrogatepass"))


def _derived(key: bytes, use: bytes) -> bytes:
    return hmac.new(key, b"oauthmagic " + use, hashlib.sha256).digest()
