"""Where errors leave for the user: one sentence and a hint, no traceback.

Never `UsageError`: nbval does not see it, and a failing cell would pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oauthmagic.errors import OAuthMagicError
from oauthmagic.notebook.commands import Commands
from oauthmagic.notebook.history import redact_lines
from oauthmagic.redaction import redact

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from oauthmagic.notebook.magics import OAuthMagic


def run(
    door: str, shell: InteractiveShell, settings: OAuthMagic, *arguments: Any
) -> Any:
    """Run a magic's line; return its value, or raise an error that reads well."""
    # Now, because every traceback from here on would quote the cell.
    typed_a_secret = redact_lines(f"%{door} " + "\n".join(filter(None, arguments)))
    try:
        return getattr(Commands(shell, settings), door)(*arguments)
    except OAuthMagicError as error:
        failure = error
    except KeyboardInterrupt:
        failure = None
    except Exception as error:
        if not settings.short_errors:
            raise
        # The frames that it came through hold the notebook's variables.
        failure = OAuthMagicError(
            f"Something unexpected happened ({type(error).__name__}); "
            "that is a mistake of oauthmagic.",
            hint="Please report it; %config OAuthMagic.short_errors = False shows "
            "where.",
        )
    if failure is None:
        # Afresh, too: an interruption shows the frames that it came through.
        interrupt = KeyboardInterrupt("Interrupted.")
        interrupt._render_traceback_ = lambda: ["KeyboardInterrupt: Interrupted."]  # type: ignore[attr-defined]
        raise interrupt
    if settings.short_errors or typed_a_secret:
        # IPython prints this; the message to front ends keeps its name.
        # One text, because the modes of %xmode do not agree on what joins lines.
        text = "\n".join(error_lines(failure))
        failure._render_traceback_ = lambda: [text]  # type: ignore[attr-defined]
        # Raised afresh: the frames it came through may hold what it must not show.
        failure.__traceback__ = failure.__cause__ = failure.__context__ = None
    raise failure


def error_lines(error: OAuthMagicError) -> list[str]:
    """Return what is printed of an error."""
    lines = [f"{type(error).__name__}: {redact(str(error))}"]
    if error.hint:
        lines.append(f"Hint: {redact(error.hint)}")
    return lines
