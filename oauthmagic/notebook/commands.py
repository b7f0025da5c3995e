"""A magic's line, and what it does: parse, call the session, hand back or show."""

from __future__ import annotations

import shlex
import threading
from typing import TYPE_CHECKING, Any

from IPython.display import display

from oauthmagic.errors import (
    CommandError,
    Interrupted,
    OAuthMagicError,
    ReplyError,
    UnknownName,
    UserActionRequired,
    did_you_mean,
)
from oauthmagic.http_request.request_lines import METHODS
from oauthmagic.notebook.arguments import (
    api_parser,
    check_options,
    refuse_key_headers,
    refuse_known_secrets,
    refuse_secrets,
    split,
    token_parser,
    variable,
)
from oauthmagic.notebook.choices import kept_text
from oauthmagic.notebook.names import names_in
from oauthmagic.notebook.options import check_api
from oauthmagic.notebook.pasted import unpasted
from oauthmagic.notebook.pending import answer_to, show_pending
from oauthmagic.notebook.progress import PagesProgress, Progress
from oauthmagic.notebook.prompts import prompt_for
from oauthmagic.oauth.targets import VERBS as RESERVED
from oauthmagic.session import current_session

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from IPython.core.interactiveshell import InteractiveShell

    from oauthmagic.notebook.cards import Card
    from oauthmagic.notebook.magics import OAuthMagic
    from oauthmagic.views.replies import Reply

VERBS = (
    "form",
    "show",
    "refresh",
    "revoke",
    "introspect",
    "forget",
    "scopes",
    "endpoints",
    "providers",
    "adopt",
    "add",
    "resume",
    "trace",
    "timeline",
    "code",
    "demo",
)
#: Verbs that are kept for later, so that no provider takes their names.
LATER = tuple(verb for verb in RESERVED if verb not in VERBS)


class Commands:
    """The commands of one line, with the shell that it was typed in."""

    def __init__(self, shell: InteractiveShell, settings: OAuthMagic) -> None:
        self._shell = shell
        self._names = names_in(shell)
        self._session = current_session()
        self._session.prompt = prompt_for(shell)
        # Only what was changed with %config since: the session may have been
        # configured in Python, too.
        settings.tell(self._session.configure)

    def token(self, line: str) -> Any:
        """Run a line of `%token`."""
        refuse_known_secrets(line)
        options = token_parser().read(line)
        verb, *words = options.words or [""]
        check_options(options, verb if verb in VERBS else "" if verb else "table")
        if not verb:
            return self._session.tokens()
        if verb in VERBS:
            return getattr(self, f"_{verb}")(options, *_words(words, verb, options))
        self._check_target(verb, words)
        token: Any
        try:
            token = self._session.token(
                verb,
                scopes=self._scopes_of(verb, options),
                grant=options.grant,
                fresh=options.fresh,
                credentials=self._mapping(options.credentials, "--credentials"),
                alias=options.alias,
                env_file=options.env_file,
            )
        except UserActionRequired as error:
            if options.answer is None:
                show_pending(error.pending)
                raise
            name = error.pending.target
            token = self._session.resume(name, answer=options.answer)
        if options.remember:
            kept = self._session.remember(options.alias or verb)
            if not options.quiet:
                print(kept_text(verb, kept))  # noqa: T201 - says what happened
        return None if options.quiet else token

    def api(self, line: str, cell: str | None = None) -> Any:
        """Run a `%%api` cell, or an `%api` line with the request behind its options."""
        refuse_known_secrets(f"{line}\n{cell or ''}")
        refuse_key_headers(cell or "")
        if cell is None:
            line, cell = _one_line(line)
        options = api_parser().read(line)
        check_api(options)

        def keep(result: Any) -> None:
            self._shell.user_ns[options.out] = result

        cell = unpasted(cell, quiet=options.quiet)
        if options.each is not None:
            from oauthmagic.notebook.rows import send_rows  # noqa: PLC0415 - if asked

            return send_rows(self._session, options, cell, self._names, keep)
        if options.lang:
            text = self._session.code(
                options.target, cell, lang=options.lang, variables=self._names
            )
            print(text)  # noqa: T201 - what was asked for
            return None
        if options.dry_run:
            print(self._session.preview(options.target, cell, variables=self._names))  # noqa: T201 - what was asked for
            return None
        try:
            with Progress(f"Saving {options.save}") as saving, PagesProgress() as paged:
                last = self._session.api(
                    options.target,
                    cell,
                    variables=self._names,
                    every_page=options.every_page,
                    max_pages=options.max_pages,
                    save=options.save,
                    overwrite=options.overwrite,
                    progress=saving if options.save else None,
                    paged=None if options.quiet else paged,
                )
        except UserActionRequired as error:
            # The waiting name is filled when the user is back.
            card = show_pending(error.pending)
            self._session.when_resumed(
                error.pending.target,
                lambda last: self._given_later(options, last, card),
            )
            raise
        except (Interrupted, OAuthMagicError) as error:
            if error.partial is not None:
                # The pages that came are the user's, and the error is theirs, too.
                shown = self._given(options, error.partial, print)
                if shown is not None:
                    display(shown)
            raise
        return self._given(options, last, print)

    def _given_later(self, options: Namespace, last: Reply, card: Card | None) -> Any:
        """Do the same in whatever thread; the card says what a cell would."""
        lines: list[str] = []
        result = self._given(options, last, lines.append)
        if card is not None:
            card.say(lines)
        if threading.current_thread() is threading.main_thread():
            for line in lines:
                print(line)  # noqa: T201 - a cell of the user's own
        return result

    def _given(
        self, options: Namespace, last: Reply, say: Callable[[str], object]
    ) -> Any:
        """Show replies, keep them under the name asked for, or hand them back."""
        for reply in last.replies:
            _show(reply, options.show, say)
        results = _results(options, last.replies)
        result = results[0] if len(results) == 1 else results
        if options.out:
            self._shell.user_ns[options.out] = result
            if not options.quiet:
                say("\n".join(map(_line, last.replies)))
                say(f"{options.out}: {_size(result)}")
            return None
        shown = options.show and options.frame is None
        return None if options.quiet or shown else result

    def _resume(self, options: Namespace, target: str | None = None) -> Any:
        pending = self._session.pending(target)
        answer = options.answer
        if answer is None:
            answer = answer_to(pending, self._session.prompt)
        result = self._session.resume(pending.target, answer=answer)
        return None if options.quiet else result

    def _show(self, options: Namespace, target: str) -> Any:
        checks = self._session.preflight(
            target,
            credentials=self._mapping(options.credentials, "--credentials"),
            env_file=options.env_file,
        )
        if checks is None:
            return self._session.show(target, verify=options.verify)
        display(checks)
        try:
            return self._session.show(target, verify=options.verify)
        except CommandError:
            if options.verify:
                raise
            return None  # the table is worth most before there is a token

    def _form(self, options: Namespace, target: str = "") -> Any:
        prompt = self._session.prompt
        shows_forms = getattr(self._shell, "kernel", None) is not None
        if not options.ask and shows_forms:
            from oauthmagic.notebook.forms import TokenForm  # noqa: PLC0415 - heavy

            return TokenForm(self._session, target)
        if prompt is None:
            msg = "Nobody can be asked here, and no form can be shown."
            raise CommandError(msg, hint="%token TARGET does the same; see %token?.")
        from oauthmagic.notebook.questions import Questions  # noqa: PLC0415 - rare

        questions = Questions(self._session, prompt)
        choice = questions.ask(target)
        try:
            token = self._session.token(
                choice.target, scopes=choice.scopes or None, grant=choice.grant
            )
        except UserActionRequired as error:
            show_pending(error.pending)
            raise
        questions.offer(choice, token)
        return token

    def _refresh(self, options: Namespace, target: str) -> Any:
        token = self._session.refresh(target)
        return None if options.quiet else token

    def _revoke(self, options: Namespace, target: str) -> None:
        self._session.revoke(target)
        if not options.quiet:
            print(f"Revoked at the server and forgotten here: {target}.")  # noqa: T201

    def _introspect(self, options: Namespace, target: str) -> Any:
        kind = options.of or "access_token"
        said = self._session.introspect(target, token_type_hint=kind)
        return None if options.quiet else said

    def _scopes(self, _: Namespace, target: str) -> Any:
        return self._session.scopes(target)

    def _endpoints(self, _: Namespace, target: str) -> Any:
        return self._session.endpoints(target)

    def _providers(self, _: Namespace) -> Any:
        return self._session.providers()

    def _forget(self, options: Namespace, target: str | None = None) -> None:
        count = self._session.forget(
            target, every=options.every, keyring=options.keyring
        )
        if not options.quiet:
            what = "No token was held." if not count else f"Forgotten here: {count}."
            if options.keyring:
                what += f" The keyring holds nothing of {target} any more."
            print(what)  # noqa: T201 - says what happened

    def _adopt(self, options: Namespace, target: str) -> Any:
        if not options.source:
            msg = "%token adopt needs --from VAR."
            raise CommandError(
                msg, hint="VAR is a mapping with access_token, refresh_token or both."
            )
        token = self._session.adopt(
            target,
            self._mapping(options.source, "--from"),
            credentials=self._mapping(options.credentials, "--credentials"),
            alias=options.alias,
            env_file=options.env_file,
        )
        return None if options.quiet else token

    def _add(self, options: Namespace, source: str | None = None) -> None:
        from oauthmagic.session.additions import is_url  # noqa: PLC0415 - when needed
        from oauthmagic.views import providers as texts  # noqa: PLC0415 - the same

        name = self._session.add(source, name=options.alias, openapi=options.openapi)
        provider = self._session.provider(name)
        # Whoever names no file of their own is shown where secrets will go.
        is_told = source is None or is_url(source)
        text = texts.added_text(provider, is_discovered=is_told)
        if source == name:  # it was known before
            text = f"{name}: {texts.endpoints_text(provider)}"
        if not options.quiet:
            print(text)  # noqa: T201 - says what happened

    def _trace(self, _: Namespace, target: str | None = None) -> Any:
        return self._session.trace(target)

    def _timeline(self, _: Namespace, target: str | None = None) -> Any:
        return self._session.timeline(target)

    def _code(self, options: Namespace, target: str) -> None:
        text = self._session.code(
            target,
            lang=options.lang or "curl",
            scopes=self._scopes_of(target, options),
            grant=options.grant,
        )
        print(text)  # noqa: T201 - what was asked for

    def _demo(self, options: Namespace, target: str) -> None:
        demo = self._session.demo(target)
        if options.advance is not None:
            demo.advance(options.advance)
        if options.reset:
            demo.reset()
        if options.revoke:
            demo.revoke()
        if options.throttle is not None:
            demo.throttle(options.throttle)
        if options.refuse:
            demo.refuse()
        if options.errors:
            demo.use_errors(options.errors)
        if not options.quiet:
            print(f"In the demo it is {demo.now():%Y-%m-%d %H:%M:%S} UTC.")  # noqa: T201

    def _scopes_of(self, target: str, options: Namespace) -> list[str] | None:
        """Return the scopes that a line asks for; None where it names none.

        Raises:
            CommandError: It asks for all, and they are not known or named besides.
        """
        if not options.all_scopes:
            scopes: list[str] | None = options.scope
            return scopes
        names = self._session.offered_scopes(target)
        if options.scope or not names:
            msg = "--all-scopes and --scope do not go together."
            if not names:
                msg = f"The scopes of {target} are not known here."
            raise CommandError(msg, hint="Name them: --scope S [S ...].")
        return names

    def _mapping(self, name: str | None, option: str) -> Any:
        return None if name is None else variable(self._names, name, option)

    def _check_target(self, word: str, words: list[str]) -> None:
        """Refuse a line that begins neither with a verb nor with one target."""
        if words and ("@" in word or word in self._session.names()):
            msg = f"%token takes one TARGET, and there is more behind {word!r}."
            raise CommandError(msg, hint="Scopes come behind --scope.")
        if word in LATER:
            msg = f"%token {word} is not in this version."
            raise CommandError(msg, hint="%token? shows what there is.")
        if words:
            raise UnknownName("verb", word, VERBS, where=" of %token")
        if did_you_mean(word, VERBS) and not {"@", "/"} & {*word}:
            names = self._session.names()
            if word not in names:
                raise UnknownName("verb or provider", word, [*VERBS, *names])


def _one_line(line: str) -> tuple[str, str]:
    """Split a line of `%api` into its options and its request.

    The request begins at the first path, and a method may stand before it.
    """
    words = split(line)
    refuse_secrets(words)
    for place, word in enumerate(words):
        before = words[:place]
        if not word.startswith(("/", "http://", "https://")):
            continue
        if before and before[-1] in _VALUED:
            continue
        named = bool(before) and before[-1].upper() in METHODS
        method = before.pop().upper() if named else "GET"
        # Options may stand behind the request, too; anything else is refused where
        # the options are read.
        options = " ".join(map(shlex.quote, [*before, *words[place + 1 :]]))
        return options, f"{method} {word}"
    msg = "%api needs a request on its line."
    raise CommandError(
        msg,
        hint="For example %api revsto@demo GET /distributor/v1/products; "
        "for more than a line, begin the cell with %%api.",
    )


#: Options whose value may look like a path.
_VALUED = ("--out", "--show", "--save", "--checkpoint", "--to", "--each")


def _words(words: list[str], verb: str, options: Namespace) -> list[str]:
    """Return the words behind a verb, as many as it needs.

    Raises:
        CommandError: There are more or fewer.
    """
    needs = 0 if verb == "providers" or options.every else 1
    alone = verb in _ALONE or (verb == "add" and options.openapi)
    if len(words) == needs or (alone and not words):
        return words
    what = {"add": "FILE.toml or URL", "forget": "TARGET (or --all)"}.get(
        verb, "TARGET"
    )
    msg = f"%token {verb} needs one {what}" + (f", not {len(words)}." if words else ".")
    if not needs:
        msg = f"%token {verb}{' --all' * options.every} takes nothing more."
    raise CommandError(msg, hint=f"For example %token {verb}{_EXAMPLES[verb]}.")


#: Verbs that need no target.
_ALONE = ("form", "resume", "trace", "timeline")
_EXAMPLES = {
    "form": " revsto@demo",
    "show": " revsto@demo",
    "refresh": " revsto@demo",
    "revoke": " stet/17515@demo",
    "introspect": " acme",
    "forget": " revsto@demo",
    "scopes": " revsto@demo",
    "endpoints": " revsto@demo",
    "providers": "",
    "adopt": " revsto@demo --from tokens",
    "add": " acme.toml",
    "resume": " stet/17515@demo --answer accept",
    "trace": " revsto@demo",
    "timeline": " revsto@demo",
    "code": " revsto@sandbox --lang python",
    "demo": " revsto@demo --advance 271",
}


def _results(options: Namespace, replies: tuple[Reply, ...]) -> list[Any]:
    """Return replies as asked for.

    Of several, one that has no rows stays a reply, so that the others are not lost.

    Raises:
        ReplyError: There is only one, and it has no rows.
    """
    if options.frame is None:
        return list(replies)
    if len(replies) == 1:
        return [replies[0].frame(options.frame or None)]
    results: list[Any] = []
    for reply in replies:
        try:
            results.append(reply.frame(options.frame or None))
        except ReplyError:
            results.append(reply)
    return results


def _show(reply: Reply, what: list[str], say: Callable[[str], object]) -> None:
    from oauthmagic.views.texts import body_text, headers_text  # noqa: PLC0415

    parts = {
        "headers": lambda: headers_text(reply),
        "body": lambda: body_text(reply),
        "exchange": lambda: reply.exchange,
    }
    for each in what:
        say(parts[each]())


def _line(reply: Reply) -> str:
    from oauthmagic.views.texts import reply_line  # noqa: PLC0415 - when shown

    return reply_line(reply)


def _size(result: Any) -> str:
    if isinstance(result, list):
        return f"a list of {len(result)}"
    if hasattr(result, "shape"):
        rows, columns = result.shape
        return f"DataFrame, {rows:,} rows, {columns} columns"
    return "Reply"
