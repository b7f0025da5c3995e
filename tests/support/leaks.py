"""All that an error shows, and a search for what it must not show."""

from __future__ import annotations

import base64
import re
import traceback
import urllib.parse

import oauthmagic

#: Every secret of these tests holds this.
CANARY = "plainly-fake"


def shown(error: BaseException) -> str:
    """Return all that an error shows, with the variables of the package's frames."""
    frames = error.__traceback__
    while frames and not frames.tb_frame.f_code.co_filename.startswith(
        oauthmagic.__path__[0]
    ):
        frames = frames.tb_next
    notes = getattr(error, "__notes__", ())
    parts = [str(error), repr(error), getattr(error, "hint", ""), *notes]
    parts += [repr(vars(error)), repr(error.args)]
    seen: BaseException | None = error
    while seen is not None:
        tb = frames if seen is error else seen.__traceback__
        parts += traceback.TracebackException(
            type(seen), seen, tb, capture_locals=True
        ).format()
        seen = seen.__cause__ or seen.__context__
    return "\n".join(parts)


def traces(text: str, canary: str = CANARY) -> list[str]:
    """Return the names of the forms in which a canary is in a text."""
    raw = canary.encode()
    forms = {
        "plain": canary,
        "percent": "".join(f"%{byte:02x}" for byte in raw),
        "quoted": urllib.parse.quote(canary, safe="").replace("-", "%2d"),
        "hexadecimal": raw.hex(),
        "reversed": canary[::-1],
        "UTF-16": "\\x00".join(canary),
    }
    # With an escape sequence or nothing of its own between its characters.
    texts = {text.lower(), re.sub(r"\x1b\[[0-9;]*m|\\x1b\[[0-9;]*m", "", text).lower()}
    found = [
        name for name, form in forms.items() if any(form in each for each in texts)
    ]
    for shift in range(3):
        # Whole blocks of the canary alone, whatever stands around it.
        encoded = base64.b64encode(b"\0" * shift + raw).decode()
        block = encoded[4 * bool(shift) : (shift + len(raw)) // 3 * 4]
        if block in text or block.translate(str.maketrans("+/", "-_")) in text:
            found.append(f"base64, shifted by {shift}")
    return found
