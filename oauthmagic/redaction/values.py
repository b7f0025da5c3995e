"""A text that does not show itself, and the register of all of them."""

# A secret refuses the special methods on purpose, instead of answering them:
# ruff: noqa: PLE0303, PLE0308, PLE0309

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from oauthmagic.errors import SecretRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from oauthmagic.redaction.spellings import Spellings

MASK = "[secret]"
#: Shorter values would blank out ordinary words; they are masked only where they
#: stand alone, and only while they live.
SHORTEST_IN_TEXT = 6
#: How many values are remembered after their last `Secret` is gone.
MOST_REMEMBERED = 1000

# Re-entrant: memory is allocated under it, so a finalizer may run and log. One for
# the register and for the index made of it, so that nobody takes two.
register_lock = threading.RLock()
_live: dict[int, weakref.ref[Secret]] = {}
_made = [0]
# The latest, by the hash of the value, so that one value counts once. A reply in a
# notebook's Out is shown again long after its token was renewed or forgotten.
_remembered: OrderedDict[int, Secret] = OrderedDict()


class Secret:
    """A text that does not show itself.

    `bool(secret)` is true. Showing it gives `[secret]`; comparing, iterating,
    measuring, pickling or copying it out raises `SecretRefused`. There are no
    subclasses, for they could show what this class does not.

    Args:
        value: The text to keep.
    """

    __slots__ = ("__weakref__", "_open", "_spelled")
    _open: Callable[[], str]
    _spelled: Callable[[], Spellings]

    def __init__(self, value: str) -> None:
        if not isinstance(value, str):
            msg = f"A secret is a text, not {type(value).__name__}."
            raise SecretRefused(msg, hint="Give it as a string.")
        if hasattr(self, "_open"):
            self._refuse("changed")
        text = str.__str__(value)
        # Behind a closure: variable inspectors list attributes, not cells.
        object.__setattr__(self, "_open", lambda: text)
        _register(self, text)

    def __init_subclass__(cls, **kwargs: object) -> NoReturn:
        msg = "A secret cannot be subclassed."
        raise SecretRefused(msg, hint="Keep a Secret as an attribute instead.")

    def reveal(self) -> str:
        """Return the value. Whatever you do with it, it is no longer redacted."""
        return self._open()

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, format_spec: str) -> str:
        return MASK

    def __dir__(self) -> list[str]:
        return ["reveal"]

    def __setattr__(self, name: str, value: object) -> NoReturn:
        self._refuse("changed")

    def __delattr__(self, name: str) -> NoReturn:
        self._refuse("changed")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        self.__reduce__()

    def __getstate__(self) -> NoReturn:
        self.__reduce__()

    def __reduce__(self) -> NoReturn:
        msg = "A secret cannot be pickled or stored."
        raise SecretRefused(
            msg,
            hint="Pass the target's name, for example 'revsto@demo', and ask a "
            "Session for the token there.",
        )

    def __eq__(self, other: object) -> bool:
        self._refuse("compared")

    def __hash__(self) -> int:
        self._refuse("hashed")

    def __len__(self) -> int:
        self._refuse("measured")

    def __iter__(self) -> Iterator[str]:
        self._refuse("iterated over")

    def __getitem__(self, index: object) -> str:
        self._refuse("indexed")

    def __contains__(self, item: object) -> bool:
        self._refuse("searched")

    def __add__(self, other: object) -> str:
        self._refuse("joined to a text")

    __radd__ = __add__

    def __bytes__(self) -> bytes:
        self._refuse("turned into bytes")

    def _refuse(self, verb: str) -> NoReturn:
        msg = f"A secret cannot be {verb}."
        raise SecretRefused(msg)


def _register(secret: Secret, value: str) -> None:
    with register_lock:
        _made[0] += 1
        number = _made[0]
        _live[number] = weakref.ref(secret, partial(_forget, number))
        if len(value) >= SHORTEST_IN_TEXT:
            mark = hash(value)
            _remembered.pop(mark, None)
            _remembered[mark] = secret
            while len(_remembered) > MOST_REMEMBERED:
                _remembered.popitem(last=False)


def _forget(
    number: int,
    _: weakref.ref[Secret],
    # Bound now: at the interpreter's end the globals go first.
    live: dict[int, weakref.ref[Secret]] = _live,
) -> None:
    live.pop(number, None)


def forget_the_gone() -> None:
    """Forget the values whose last `Secret` is gone; the living stay known."""
    with register_lock:
        _remembered.clear()


def number_made() -> int:
    """Return how many secrets have been made so far; asking costs nothing."""
    return _made[0]


def secrets_since(number: int) -> list[Secret]:
    """Return the live secrets made after the first `number`, oldest first."""
    with register_lock:
        # A list of numbers is made in one step: no finalizer can interrupt it.
        found = [_live.get(each) for each in list(_live) if each > number]
    return [secret for each in found if each and (secret := each()) is not None]


def live_values() -> list[str]:
    """Return the values of all live secrets, longest first."""
    values = {secret.reveal() for secret in secrets_since(0)}
    return sorted(values, key=len, reverse=True)
