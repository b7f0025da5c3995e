"""Completion of `%token`, `%api` and `%%api`: what can stand at the cursor.

It is asked at every press of a key: nothing is sent, no package is run that was not
used before, no value of a variable is shown, and whatever goes wrong is no error.
"""

from __future__ import annotations

import itertools
import logging
import re
from typing import TYPE_CHECKING, Any

from IPython.core.getipython import get_ipython

from oauthmagic.http_request.scalars import scalar_text
from oauthmagic.notebook.arguments import api_parser, taken_by, token_parser
from oauthmagic.notebook.cell_completion import in_cell, in_request_line
from oauthmagic.notebook.commands import VERBS
from oauthmagic.notebook.options import SHOWN
from oauthmagic.oauth.grants import ALIASES, GRANTS
from oauthmagic.oauth.introspection import KINDS
from oauthmagic.oauth.targets import environment_of
from oauthmagic.session import current_session
from oauthmagic.views.programs import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from oauthmagic.notebook.arguments import Parser
    from oauthmagic.providers.endpoints import Endpoints

_log = logging.getLogger("oauthmagic")
#: A line of ours, at its beginning or behind an assignment.
_LINE = re.compile(r"(?:^|=)\s*(%token|%oauth_token|%%?api|%%?oauth_api) +(.*)$")
#: The first line of a cell of ours, which has a request below.
_CELL = re.compile(r"\s*%%(?:oauth_)?api[ \t]+([^\n]*)\n")
#: More than anybody looks through.
_MOST = 200
#: Verbs that name a file, a URL or a provider, none of a target's kind.
_WITHOUT_TARGET = ("providers", "add")


def complete(context: Any) -> Any:
    """Return what can stand at the cursor, as a matcher of IPython's API v2.

    Args:
        context: IPython's `CompletionContext`.
    """
    try:
        typed, found = _at(context)
    except Exception as error:  # noqa: BLE001 - nobody asked for it in words
        _log.debug("Nothing completed: %s", type(error).__name__)
        typed, found = "", []
    fitting = (name for name in found if name.startswith(typed))
    names = list(dict.fromkeys(itertools.islice(fitting, _MOST)))
    return {
        "completions": [_completion(name) for name in names],
        "matched_fragment": typed,
        "suppress": bool(names),
        "ordered": True,
    }


def _at(context: Any) -> tuple[str, Iterable[str]]:
    """Return what is typed of a word, and the words that can stand there."""
    before = context.line_with_cursor[: context.cursor_position]
    cell = _CELL.match(context.full_text)
    if cell is not None and context.cursor_line > cell[0].count("\n") - 1:
        lines = context.full_text.split("\n")[cell[0].count("\n") :]
        above = lines[: context.cursor_line - cell[0].count("\n")]
        words = cell[1].split()
        return in_cell(above, before, _endpoints(words), lambda: _variables(words))
    line = _LINE.search(before)
    if line is None:
        return "", []
    words = line[2].split(" ")
    magic, current = line[1].replace("oauth_", ""), words[-1]
    words = [word for word in words[:-1] if word]
    if magic == "%token":
        return current, _of_token(words, current)
    return _of_api(words, current, is_line=magic == "%api")


def _of_token(words: list[str], current: str) -> Iterable[str]:
    parser = token_parser()
    said = _positionals(words, parser)
    verb = said[0] if said and said[0] in VERBS else ""
    if (values := _values(words, parser)) is not None:
        return values
    found = [] if not said else parser.option_names(after=words, of=taken_by(verb))
    if _is_listing(words, "--scope"):
        found = [*_scopes(words), *found]
    elif not said:
        found = [*VERBS, *current_session().targets(current)]
    elif verb == "add" and len(said) == 1:
        found = [*current_session().names(), *found]
    elif len(said) == 1 and verb and verb not in _WITHOUT_TARGET:
        found = [*current_session().targets(current), *found]
    return found


def _of_api(
    words: list[str], current: str, *, is_line: bool
) -> tuple[str, Iterable[str]]:
    parser = api_parser()
    if (values := _values(words, parser)) is not None:
        return current, values
    said = _positionals(words, parser)
    if not said:
        return current, current_session().targets(current)
    options = parser.option_names(after=words)
    if is_line and len(said) < 3 and not current.startswith("-"):  # noqa: PLR2004 - target, method
        request = " ".join([*said[1:], current])
        return in_request_line(request, _endpoints(said), lambda: _variables([]))
    return current, options


def _values(words: list[str], parser: Parser) -> Iterable[str] | None:
    """Return what can stand behind the last option; None where none waits."""
    last = words[-1] if words else ""
    if last == "--scope" or not parser.takes_value(last):
        return None
    found: Iterable[str] = _VALUES[last](words) if last in _VALUES else ()
    return found


def _positionals(words: list[str], parser: Parser) -> list[str]:
    """Return the words that are no options and not theirs."""
    found: list[str] = []
    is_scope = False
    for before, word in zip(["", *words], words, strict=False):
        if word.startswith("-"):
            is_scope = word == "--scope"
        elif not is_scope and not parser.takes_value(before):
            found.append(word)
    return found


def _is_listing(words: list[str], option: str) -> bool:
    """Return whether the values of an option go on here."""
    if option not in words:
        return False
    place = len(words) - 1 - words[::-1].index(option)
    return not any(word.startswith("-") for word in words[place + 1 :])


def _target(words: list[str]) -> str:
    said = [word for word in words if not word.startswith("-")]
    return next((word for word in said if word not in VERBS), "")


def _scopes(words: list[str]) -> list[str]:
    provider = current_session().known_provider(_target(words))
    if provider is None:
        return []
    needed = (scope for each in provider.endpoints for scope in each.all_scopes)
    names = provider.scopes or dict.fromkeys(needed)
    return [name for name in names if name not in words]


def _grants(words: list[str]) -> Iterable[str]:
    provider = current_session().known_provider(_target(words))
    return provider.grants if provider else (*GRANTS, *ALIASES)


def _answers(words: list[str]) -> Iterable[str]:
    is_demo = environment_of(_target(words)) == "demo"
    return ("accept", "refuse", "timeout") if is_demo else ()


def _error_families(_: list[str]) -> Iterable[str]:
    from oauthmagic.sandbox.league_errors import FAMILIES  # noqa: PLC0415 - rare

    return FAMILIES


def _endpoints(words: list[str]) -> Endpoints | None:
    provider = current_session().known_provider(_target(words))
    return provider.endpoints if provider else None


def _namespace() -> dict[str, Any]:
    shell: Any = get_ipython()
    if shell is None:
        return {}
    hidden = {*shell.user_ns_hidden, "In", "Out"}
    return {
        name: value
        for name, value in shell.user_ns.items()
        if not name.startswith("_") and name not in hidden
    }


def _mappings(_: list[str]) -> list[str]:
    """Return the variables of the notebook that can hold credentials or tokens."""
    return [name for name, value in _namespace().items() if isinstance(value, dict)]


def _variables(words: list[str]) -> list[str]:
    """Return the variables that can be put into a request."""
    namespace = _namespace()
    names = [name for name, each in namespace.items() if scalar_text(each) is not None]
    if "--each" in words[:-1]:
        rows = namespace.get(words[words.index("--each") + 1])
        names = [*(str(each) for each in getattr(rows, "columns", ())), *names]
    return names


#: What can stand behind an option; nothing where only its user knows.
_VALUES: dict[str, Callable[[list[str]], Iterable[str]]] = {
    "--show": lambda _: SHOWN,
    "--lang": lambda _: LANGUAGES,
    "--of": lambda _: KINDS,
    "--grant": _grants,
    "--answer": _answers,
    "--errors": _error_families,
    "--credentials": _mappings,
    "--from": _mappings,
}


def _completion(name: str) -> Any:
    from IPython.core.completer import SimpleCompletion  # noqa: PLC0415 - 8.6 on

    return SimpleCompletion(name, type="oauthmagic")
