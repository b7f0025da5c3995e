"""The words of a magic's line: argparse, with errors that help."""

from __future__ import annotations

import argparse
import functools
import re
import shlex
import threading
from typing import TYPE_CHECKING, Any, NoReturn

from oauthmagic.errors import CommandError, SecretOnLine, UnknownName
from oauthmagic.redaction import holds_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

#: What people call a secret on a line.
SENSITIVE = (
    r"(?:client[-_]?secret|secret|password|passwd|pwd|pass|pass[-_]?phrase|token|"
    r"(?:access|refresh|id|bearer|auth|subject)[-_]?token|api[-_]?key|key|jwt|"
    r"authorization|auth|bearer|private[-_]?key|client[-_]?assertion|user)"
)
#: Options that would leave a secret in the history: with any number of dashes, those
#: included that a word processor makes of them, and `-p` and `-u` as elsewhere.
SECRET_OPTION = re.compile(
    rf"[-\u2010-\u2015\u2212]+{SENSITIVE}(?==|$)|-[pu]|{SENSITIVE}=",
    re.IGNORECASE,
)
#: Longer words are not the names of variables but what somebody pasted.
LONGEST_NAME = 40

#: Headers that carry a key, and may have it from a variable only; those that carry
#: the token itself cannot be set at all.
KEY_HEADERS = (
    r"(?:x-)?(?:api|access|auth|secret|session|security|subscription)[-_]?(?:key|token)"
    r"|(?:x-)?apikey|ocp-apim-subscription-key|sca-authorization|private-token"
)
_KEY_HEADER = re.compile(
    rf"(?im)^[ \t]*((?:{KEY_HEADERS}))[ \t]*:(?![^\n]*\{{\{{)[ \t]*\S"
)

_KEPT_OUT = (
    "This was kept out of the history, but the notebook still has it: delete it, and "
    "change the secret if it was a real one."
)
_INSTEAD = (
    "Leave it out and enter it at the prompt, or name a mapping with "
    f"--credentials VAR, or set an environment variable (see %token?). {_KEPT_OUT}"
)
_BY_NAME = (
    "The token is added by itself. Any other secret is put into a variable without "
    "showing (name = getpass.getpass()), and named here: {{name}}, or --credentials "
    f"name. {_KEPT_OUT}"
)
_TARGET_OPTIONS = (
    "scope",
    "all_scopes",
    "grant",
    "fresh",
    "credentials",
    "env_file",
    "alias",
    "answer",
    "remember",
)
#: The options that each verb of `%token` takes, besides --quiet.
_OPTIONS = {
    "": _TARGET_OPTIONS,
    "introspect": ("of",),
    "forget": ("every", "keyring"),
    "add": ("alias", "openapi"),
    "adopt": ("source", "credentials", "alias", "env_file"),
    "resume": ("answer",),
    "show": ("credentials", "env_file", "verify"),
    "form": ("ask",),
    "code": ("lang", "scope", "all_scopes", "grant"),
    "demo": ("advance", "revoke", "throttle", "refuse", "errors", "reset"),
}


def _once(make: Callable[[], Parser]) -> Callable[[], Parser]:
    """Make a parser once in each thread, for it takes longer than to read a line.

    One that reads changes itself for so long, so no two threads share it.
    """
    kept = threading.local()

    def made() -> Parser:
        if not hasattr(kept, "parser"):
            kept.parser = make()
        parser: Parser = kept.parser
        return parser

    return functools.update_wrapper(made, make)


class Parser(argparse.ArgumentParser):
    """Parses a line; every error is a `CommandError`."""

    def __init__(self, magic: str) -> None:
        # A usage that is given need not be put together for every line.
        super().__init__(prog=magic, usage=magic, add_help=False, allow_abbrev=False)

    def read(self, line: str) -> argparse.Namespace:
        """Return the parsed line.

        Raises:
            SecretOnLine: It has an option that takes a secret elsewhere.
            UnknownName: It has an unknown option.
            CommandError: It cannot be read otherwise.
        """
        words = split(line)
        refuse_secrets(words)
        namespace, rest = self.parse_known_intermixed_args(words)
        if rest:
            word = rest[0].partition("=")[0]
            if word.startswith("-"):
                raise UnknownName(
                    "option", word, self.option_names(), where=f" of {self.prog}"
                )
            msg = f"{self.prog} does not know what to do with {word!r}."
            raise CommandError(msg, hint=f"{self.prog}? shows what it takes.")
        return namespace

    def given(self, options: argparse.Namespace) -> dict[str, str]:
        """Return the options that were given: attribute to long name."""
        return {
            action.dest: action.option_strings[-1]
            for action in self._actions
            if action.option_strings and getattr(options, action.dest) != action.default
        }

    def option_names(
        self, *, after: Collection[str] = (), of: Collection[str] | None = None
    ) -> list[str]:
        """Return the long names of the options.

        Args:
            after: What the line has already; what can be said once is left out.
            of: The attributes of those that count; None is all.
        """
        return [
            name
            for name, action in self._option_string_actions.items()
            if name.startswith("--")
            and (name not in after or _repeats(action))
            and (of is None or action.dest in of)
        ]

    def takes_value(self, option: str) -> bool:
        """Return whether something has to stand behind an option."""
        action = self._option_string_actions.get(option)
        return action is not None and action.nargs in (None, "+")

    def error(self, message: str) -> NoReturn:
        """Raise argparse's message as an error of ours."""
        msg = f"{self.prog}: {message}."
        raise CommandError(msg, hint=f"{self.prog}? shows what it takes.")


def _repeats(action: argparse.Action) -> bool:
    return type(action).__name__ in ("_AppendAction", "_ExtendAction")


def split(line: str) -> list[str]:
    """Split a line into words, as a shell would.

    Raises:
        CommandError: A quote is not closed.
    """
    try:
        return shlex.split(line)
    except ValueError:
        msg = "A quotation mark is not closed."
        raise CommandError(msg, hint="Close it, or leave it out.") from None


def refuse_secrets(words: list[str]) -> None:
    """Refuse options that would put a secret on the line.

    Raises:
        SecretOnLine: One was tried; its value is not repeated.
    """
    for before, word in zip(["", *words], words, strict=False):
        answer = word if before == "--answer" else word.removeprefix("--answer=")
        if answer is not word or before == "--answer":
            _refuse_answer(answer)
        if found := SECRET_OPTION.match(word):
            option = found[0].removesuffix("=")
            msg = f"{option} is not an option: lines with a secret would be kept."
            raise SecretOnLine(msg, hint=_INSTEAD)


def refuse_known_secrets(typed: str) -> None:
    """Refuse a line or cell that has a secret in it which is known here.

    Raises:
        SecretOnLine: It has, in whatever form; it is not repeated.
    """
    if holds_secret(typed, short=False):
        msg = "There is a secret in this cell. Nothing was sent."
        raise SecretOnLine(msg, hint=_BY_NAME)


def refuse_key_headers(cell: str) -> None:
    """Refuse headers of a request that carry a key which is written out.

    Raises:
        SecretOnLine: There is one; it is not repeated.
    """
    if found := _KEY_HEADER.search(cell):
        msg = f"The header {found[1]} is a secret, written out. Nothing was sent."
        raise SecretOnLine(msg, hint=_BY_NAME)


def _refuse_answer(answer: str) -> None:
    """Refuse answers that can be used again: a PIN, a password, a redirected URL.

    Raises:
        SecretOnLine: It is one; it is not repeated.
    """
    method, colon, _ = answer.partition(":")
    if colon and not method.upper().startswith("OTP"):
        msg = "--answer takes a one-time code or a word; this is kept for the prompt."
        raise SecretOnLine(
            msg, hint="Leave --answer out: %token resume asks, and shows nothing."
        )


def variable(namespace: Mapping[str, Any], name: str, option: str) -> Any:
    """Return a variable of the notebook.

    Raises:
        SecretOnLine: It is no name, but perhaps the value itself; it is not repeated.
        UnknownName: There is none of this name.
    """
    if name not in namespace and not can_be_name(name):
        msg = f"{option} takes the name of a variable; what is there is none."
        raise SecretOnLine(msg, hint=_INSTEAD)
    try:
        return namespace[name]
    except KeyError:
        raise UnknownName(
            "variable",
            name,
            namespace,
            where=f" for {option}",
            hint="Give the name of a variable in this notebook, not its value.",
        ) from None


def can_be_name(word: str) -> bool:
    """Return whether a word looks like the name of a variable."""
    return word.isidentifier() and len(word) <= LONGEST_NAME


def check_options(options: argparse.Namespace, verb: str) -> None:
    """Refuse options that a verb of `%token` would not look at.

    Args:
        options: The parsed line.
        verb: A verb, "" for a target alone, or "table" for nothing at all.

    Raises:
        CommandError: There is one, with the verb that it belongs to.
    """
    taken = taken_by(verb)
    for attribute, name in token_parser().given(options).items():
        if attribute in taken:
            continue
        place = {"table": "", "": " TARGET"}.get(verb, f" {verb}")
        homes = [
            f"%token {home or 'TARGET'}"
            for home, attributes in _OPTIONS.items()
            if attribute in attributes
        ]
        msg = f"%token{place} takes no {name}."
        raise CommandError(msg, hint=f"It is an option of {' and '.join(homes)}.")


def taken_by(verb: str) -> tuple[str, ...]:
    """Return the attributes of the options that a verb of `%token` takes.

    Args:
        verb: A verb, or "" for a target alone.
    """
    return ("quiet", *_OPTIONS.get(verb, ()))


@_once
def token_parser() -> Parser:
    """Return the parser of `%token`."""
    parser = Parser("%token")
    add = parser.add_argument
    add("words", nargs="*")
    add("--scope", nargs="+", action="extend")
    add("--all-scopes", action="store_true")
    add("--grant")
    add("--fresh", action="store_true")
    add("--credentials")
    add("--env-file")
    add("--as", dest="alias", default="")
    add("--from", dest="source")
    add("--openapi")
    add("--answer")
    # Not named after what it takes: --refresh-token takes a secret elsewhere.
    add("--of")
    add("--remember", action="store_true")
    add("--verify", action="store_true")
    add("--lang")
    add("--all", dest="every", action="store_true")
    add("--keyring", action="store_true")
    add("--ask", action="store_true")
    add("--advance", type=float)
    add("--revoke", action="store_true")
    add("--throttle", type=float, nargs="?", const=5.0)
    add("--refuse", action="store_true")
    add("--errors")
    add("--reset", action="store_true")
    add("-q", "--quiet", action="store_true")
    return parser


@_once
def api_parser() -> Parser:
    """Return the parser of `%%api` and of the options of `%api`."""
    parser = Parser("%%api")
    add = parser.add_argument
    add("target")
    add("--out")
    add("--frame", nargs="?", const="", default=None)
    add("--all", dest="every_page", action="store_true")
    add("--max-pages", type=int)
    add("--each")
    add("--rate", type=float)
    add("--concurrency", type=int)
    add("--checkpoint")
    add("--to")
    add("--engine", choices=("dask",))
    add("--yes-post", action="store_true")
    add("--show", action="append", default=[])
    add("--save")
    add("--overwrite", action="store_true")
    add("--dry-run", action="store_true")
    add("--lang")
    add("-q", "--quiet", action="store_true")
    return parser
