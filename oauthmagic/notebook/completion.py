"""Completion of `%token`, `%api` and `%%api`: verbs, targets, options, scopes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from IPython.core.getipython import get_ipython

from oauthmagic.errors import OAuthMagicError
from oauthmagic.notebook.arguments import api_parser, token_parser
from oauthmagic.notebook.commands import VERBS
from oauthmagic.notebook.options import SHOWN
from oauthmagic.oauth.grants import ALIASES, GRANTS
from oauthmagic.oauth.introspection import KINDS
from oauthmagic.session import current_session
from oauthmagic.views.programs import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Iterable

#: A line of ours, at its beginning or behind an assignment.
_LINE = re.compile(r"(?:^|=)\s*(%token|%oauth_token|%%?api|%%?oauth_api) +(.*)$")
#: What can stand behind an option; nothing where only its user knows.
_WORDS: dict[str, Iterable[str]] = {
    "--show": SHOWN,
    "--lang": LANGUAGES,
    "--of": KINDS,
    "--grant": (*GRANTS, *ALIASES),
    **dict.fromkeys(
        (
            *("--out", "--save", "--env-file", "--as", "--answer", "--advance"),
            *("--each", "--rate", "--concurrency", "--checkpoint", "--to"),
            "--max-pages",
        ),
        (),
    ),
}


def complete(context: Any) -> Any:
    """Return what can stand at the cursor, as a matcher of IPython's API v2.

    Args:
        context: IPython's `CompletionContext`.
    """
    before = context.line_with_cursor[: context.cursor_position]
    line = _LINE.search(before)
    if line is None:
        return {"completions": []}
    words = line[2].split(" ")
    magic, current = line[1].replace("oauth_", ""), words[-1]
    found = [
        name
        for name in _candidates(magic, [word for word in words[:-1] if word])
        if name.startswith(current)
    ]
    return {
        "completions": [_completion(name) for name in dict.fromkeys(found)],
        "matched_fragment": current,
        "suppress": bool(found),
    }


def _candidates(magic: str, words: list[str]) -> Iterable[str]:
    last = words[-1] if words else ""
    if last in ("--credentials", "--from"):
        return _mappings()
    if last in _WORDS:
        return _WORDS[last]
    parser = token_parser() if magic == "%token" else api_parser()
    found = parser.option_names()
    if "--scope" in words and not _option_after(words, "--scope"):
        found = [*_scopes(words), *found]
    elif not words:
        found = [*(VERBS if magic == "%token" else ()), *_targets()]
    elif len(words) == 1 and last in VERBS:
        found = [*_targets(), *found]
    return found


def _mappings() -> list[str]:
    """Return the variables of the notebook that can hold credentials or tokens."""
    shell: Any = get_ipython()
    return [
        name
        for name, value in (shell.user_ns if shell else {}).items()
        if isinstance(value, dict) and not name.startswith("_") and name != "Out"
    ]


def _targets() -> list[str]:
    targets = []
    try:
        names = current_session().names()
    except OAuthMagicError:
        return []  # the next command says why
    for name, environments in names.items():
        targets += [f"{name}@{each}" for each in environments] or [name]
    return targets


def _scopes(words: list[str]) -> list[str]:
    for word in words:
        if not word.startswith("-") and word not in VERBS:
            try:
                names = current_session().scope_names(word)
            except OAuthMagicError:
                return []
            return [name for name in names if name not in words]
    return []


def _option_after(words: list[str], option: str) -> bool:
    place = len(words) - 1 - words[::-1].index(option)
    return any(word.startswith("-") for word in words[place + 1 :])


def _completion(name: str) -> Any:
    from IPython.core.completer import SimpleCompletion  # noqa: PLC0415 - 8.6 on

    return SimpleCompletion(name, type="oauthmagic")
