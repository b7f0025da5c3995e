"""The form as questions, one after the other, where no form can be shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauthmagic.errors import CommandError
from oauthmagic.notebook import choices
from oauthmagic.views import forms as views
from oauthmagic.views.texts import reply_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from oauthmagic.notebook.choices import Choice
    from oauthmagic.oauth.tokens import Token
    from oauthmagic.session import Session

    Prompt = Callable[[str, bool], str]

#: How often a question is asked that gets no answer that will do.
MOST_TRIES = 3


class Questions:
    """Asks for what a form asks for.

    Args:
        session: The session; it asks for credentials itself.
        prompt: Asks the user: (label, secret) -> text.
        say: Prints a text.
    """

    def __init__(
        self, session: Session, prompt: Prompt, say: Callable[[str], None] = print
    ) -> None:
        self._session = session
        self._prompt = prompt
        self._say = say

    def ask(self, target: str = "") -> Choice:
        """Return what the user chooses.

        Args:
            target: What is known already: then provider, tenant and environment are
                not asked for.

        Raises:
            CommandError: A question got no answer that will do.
        """
        choice = choices.first_choice(self._session, target)
        if not target:
            known = choices.providers(self._session)
            titles = {name: each.title for name, each in known.items()}
            name = self._one("Provider", titles, choice.provider.name)
            choice = choices.choice_of(known[name], choice.environment)
        choice = self._where(choice, is_known=bool(target))
        grants = choices.beginning_grants(choice.provider)
        if len(grants) > 1:
            named = dict.fromkeys(grants, "")
            choice = choices.changed(
                choice, grant=self._one("Grant", named, choice.grant)
            )
        choice = choices.changed(choice, scopes=self._scopes(choice))
        self._say(f"The same as a line: {choice.line()}")
        return choice

    def offer(self, choice: Choice, token: Token) -> None:
        """Say what was granted; offer to test the token and to keep its credentials."""
        self._say(views.granted_text(token, choice.provider.scopes))
        if choice.provider.probe and self._yes(f"Test it ({choice.provider.probe})?"):
            self._say(reply_line(self._session.probe(choice.target)))
        if choice.environment != "demo" and self._yes("Remember in keyring?"):
            kept = self._session.remember(choice.target)
            self._say(choices.kept_text(choice.target, kept))

    def _where(self, choice: Choice, *, is_known: bool) -> Choice:
        provider = choice.provider
        tenants = provider.tenants
        if tenants is not None and not (is_known and choice.tenant):
            kind = provider.tenant_kind.capitalize()
            tenant = (
                self._one(kind, tenants, choice.tenant)
                if tenants
                else self._prompt(f"{kind}: ", False).strip()  # noqa: FBT003 - a seam
            )
            choice = choices.changed(choice, tenant=tenant)
        if not is_known:
            known = {
                each: f"{each.upper()}: {views.MEANINGS[each]}"
                for each in choices.environments(provider)
            }
            environment = self._one("Environment", known, choice.environment)
            choice = choices.changed(choice, environment=environment)
        choice.check()
        self._say(f"{choice.environment.upper()}: {views.MEANINGS[choice.environment]}")
        return choice

    def _scopes(self, choice: Choice) -> tuple[str, ...]:
        offered = choices.offered_scopes(choice.provider)
        default = " ".join(choice.scopes) or "none"
        if not offered:
            answer = self._prompt(f"Scopes, blanks between them [{default}]: ", False)  # noqa: FBT003 - a seam
            return tuple(dict.fromkeys(answer.split())) or choice.scopes
        self._list(offered)
        label = f"Scopes: numbers or names, all, none, ?word to search [{default}]: "
        for _ in range(MOST_TRIES):
            answer = self._prompt(label, False).strip()  # noqa: FBT003 - a seam
            while answer.startswith("?"):
                found = choices.matching(offered, answer[1:])
                self._list(offered, found)
                answer = self._prompt(label, False).strip()  # noqa: FBT003 - a seam
            if not answer:
                return choice.scopes
            if answer in ("all", "none"):
                return tuple(offered) if answer == "all" else ()
            words = answer.replace(",", " ").split()
            picked = [_picked(each, offered) for each in words]
            if None not in picked:
                return tuple(each for each in offered if each in picked)
            unknown = words[picked.index(None)]
            self._say(f"There is no scope {views.plain_label(unknown, 60)!r}.")
        raise _no_answer("Scopes")

    def _one(self, label: str, known: Mapping[str, str], default: str) -> str:
        """Ask for one of several, by number or name."""
        self._list(known)
        for _ in range(MOST_TRIES):
            answer = self._prompt(f"{label} [{default}]: ", False).strip()  # noqa: FBT003 - a seam
            picked = _picked(answer or default, known)
            if picked is not None:
                return picked
            self._say(f"{views.plain_label(answer, 60)!r} is none of these.")
        raise _no_answer(label)

    def _list(
        self, known: Mapping[str, str], only: Iterable[str] | None = None
    ) -> None:
        names = list(known)
        wanted = names if only is None else list(only)
        width = max(map(len, wanted), default=0)
        for name in wanted:
            text = views.plain_label(known[name])
            shown = f"{views.plain_label(name, 80):<{width}}  {text}".rstrip()
            self._say(f"  {names.index(name) + 1:>3}  {shown}")

    def _yes(self, question: str) -> bool:
        answer = self._prompt(f"{question} y/n [n]: ", False)  # noqa: FBT003 - a seam
        return answer.strip().lower() in ("y", "yes")


def _picked(answer: str, known: Mapping[str, str]) -> str | None:
    """Return the name that a number or a name picks, or None."""
    if answer in known:
        return answer
    if answer.isascii() and answer.isdigit() and 1 <= int(answer) <= len(known):
        return list(known)[int(answer) - 1]
    return None


def _no_answer(label: str) -> CommandError:
    return CommandError(
        f"{label}: no answer that will do.", hint="Run %token form again."
    )
