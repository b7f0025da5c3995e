"""The words of a magic's line: argparse, with errors that help."""

from __future__ import annotations

import argparse
import re
import shlex
from typing import TYPE_CHECKING, Any, NoReturn

from oauthmagic.errors import CommandError, SecretOnLine, UnknownName

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Options that people try, and that would leave a secret in the history.
SECRET_OPTION = re.compile(
    r"--?(?:client[-_]?secret|secret|password|passwd|pwd|pass[-_]?phrase|token|"
    r"(?:access|refresh|id|bearer|auth)[-_]?token|api[-_]?key|authorization|bearer|"
    r"private[-_]?key)(?==|$)",
    re.IGNORECASE,
)


class Parser(argparse.ArgumentParser):
    """Parses a line; every error is a `CommandError`."""

    def __init__(self, magic: str) -> None:
        super().__init__(prog=magic, add_help=False, allow_abbrev=False)

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

    def option_names(self) -> list[str]:
        """Return the long names of the options."""
        return [name for name in self._option_string_actions if name.startswith("--")]

    def error(self, message: str) -> NoReturn:
        """Raise argparse's message as an error of ours."""
        msg = f"{self.prog}: {message}."
        raise CommandError(msg, hint=f"{self.prog}? shows what it takes.")


def split(line: str) -> list[str]:
    """Split a line into words, as a shell would.

    Raises:
        CommandError: A quote is not closed.
    """
    try:
        return shlex.split(line)
    except ValueError:
        msg = "A quotation mark is not closed."
        raise CommandError(msg) from None


def refuse_secrets(words: list[str]) -> None:
    """Refuse options that would put a secret on the line.

    Raises:
        SecretOnLine: One was tried; its value is not repeated.
    """
    for word in words:
        if SECRET_OPTION.match(word):
            option = word.partition("=")[0]
            msg = f"{option} is not an option: lines with a secret would be kept."
            raise SecretOnLine(
                msg,
                hint="Leave it out and enter it at the prompt, or name a mapping with "
                "--credentials VAR, or set an environment variable (see %token?). "
                "This line was kept out of the history, but the notebook still has "
                "it: delete the line, and change the secret if it was a real one.",
            )


def variable(namespace: Mapping[str, Any], name: str, option: str) -> Any:
    """Return a variable of the notebook.

    Raises:
        UnknownName: There is none of this name.
    """
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


def token_parser() -> Parser:
    """Return the parser of `%token`."""
    parser = Parser("%token")
    add = parser.add_argument
    add("words", nargs="*")
    add("--scope", nargs="+", action="extend")
    add("--grant")
    add("--fresh", action="store_true")
    add("--credentials")
    add("--env-file")
    add("--as", dest="alias", default="")
    add("--from", dest="source")
    add("--all", dest="every", action="store_true")
    add("--advance", type=float)
    add("--revoke", action="store_true")
    add("--throttle", type=float, nargs="?", const=5.0)
    add("--refuse", action="store_true")
    add("--errors")
    add("--reset", action="store_true")
    add("-q", "--quiet", action="store_true")
    return parser


def api_parser() -> Parser:
    """Return the parser of `%%api` and of the options of `%api`."""
    parser = Parser("%%api")
    add = parser.add_argument
    add("target")
    add("--out")
    add("--frame", nargs="?", const="", default=None)
    add("--show", action="append", default=[])
    add("--dry-run", action="store_true")
    add("-q", "--quiet", action="store_true")
    return parser
