"""The form behind `%token form`: core controls only, so that every front end has them.

Callbacks act and return; what takes time runs in a thread that tells the form how it
went. What a secret field was given stays in the kernel (`secret_fields`).
"""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from IPython.display import display
from ipywidgets import HTML, Dropdown, HBox, Output, Text, VBox

from oauthmagic.errors import (
    CommandError,
    MissingCredentials,
    OAuthMagicError,
    UserActionRequired,
)
from oauthmagic.notebook import choices
from oauthmagic.notebook.controls import WIDE, button, labelled, show
from oauthmagic.notebook.pending import pending_bundle
from oauthmagic.notebook.prompts import unasked
from oauthmagic.notebook.scope_lists import ScopeList
from oauthmagic.notebook.secret_fields import CredentialFields
from oauthmagic.views import forms as views
from oauthmagic.views.texts import reply_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from oauthmagic.oauth.tokens import Token
    from oauthmagic.session import Session


class TokenForm:
    """A form that gets a token.

    Attributes:
        token: The token that was got or is held, or None.
    """

    def __init__(self, session: Session, target: str = "") -> None:
        self.token: Token | None = None
        self._session = session
        self._providers = choices.providers(session)
        self._choice = choices.first_choice(session, target)
        self._is_busy = False
        self._is_filling = False
        self._make()
        self._fill_provider()

    @property
    def target(self) -> str:
        """What the token is for."""
        return self._choice.target

    @property
    def line(self) -> str:
        """The magic line that does the same."""
        return self._choice.line()

    def __repr__(self) -> str:
        got = "no token yet" if self.token is None else "with a token"
        return f"<form for {self.target}, {got}>"

    def _ipython_display_(self) -> None:
        view = {"version_major": 2, "version_minor": 0, "model_id": self.box.model_id}
        bundle = {
            "text/plain": views.static_text(self.line, self.target),
            "text/html": views.static_html(self.line, self.target),
            "application/vnd.jupyter.widget-view+json": view,
        }
        display(bundle, raw=True)

    # The controls, in the order in which they are shown and get the focus.

    def _make(self) -> None:
        named = [(_titled(each), name) for name, each in self._providers.items()]
        self._provider = labelled(Dropdown, "Provider", options=named)
        self._tenant = labelled(Dropdown, "Tenant", options=[""])
        self._other_tenant = labelled(Text, "Tenant", continuous_update=False)
        self._environment = labelled(Dropdown, "Environment", options=["sandbox"])
        self._notice = HTML(layout=WIDE)
        self._grant = labelled(Dropdown, "Grant", options=[""])
        self._credentials = CredentialFields()
        self._scopes = ScopeList(self._on_scopes)
        self._get = button("Get token")
        self._test = button("Test it")
        self._keep = button("Remember in keyring")
        self._said = HTML(layout=WIDE)
        self._granted = HTML(layout=WIDE)
        self._pending = Output()
        self._line = HTML(layout=WIDE)
        self.box = VBox(
            [
                HTML(views.heading_html("Get a token")),
                self._provider,
                self._tenant,
                self._other_tenant,
                self._environment,
                self._notice,
                self._grant,
                HTML(views.heading_html("Credentials")),
                self._credentials.box,
                HTML(views.heading_html("Scopes")),
                self._scopes.box,
                HBox([self._get, self._test, self._keep]),
                self._said,
                self._pending,
                self._granted,
                self._line,
            ],
            layout={"max_width": "48em", "padding": "0 0 8px 0"},
        )
        for control, changed in (
            (self._provider, self._on_provider),
            (self._tenant, self._on_target),
            (self._other_tenant, self._on_target),
            (self._environment, self._on_target),
            (self._grant, self._on_grant),
        ):
            control.observe(partial(self._act, changed), names="value")
        for pressed, clicked in (
            (self._get, self._on_get),
            (self._test, self._on_test),
            (self._keep, self._on_keep),
        ):
            pressed.on_click(partial(self._act, clicked))

    def _act(self, step: Callable[[], None], _: Any) -> None:
        """Do what a control asks for; whatever goes wrong is said in the form."""
        if self._is_filling:
            return
        try:
            step()
        except OAuthMagicError as error:
            self._failed(error)
        except Exception as error:  # noqa: BLE001 - a callback's error is seen nowhere
            self._failed(_unexpected(error))

    # What was chosen.

    def _on_provider(self) -> None:
        provider = self._providers[self._provider.value]
        self._choice = choices.choice_of(provider, self._choice.environment)
        self._fill_provider()

    def _on_target(self) -> None:
        provider = self._choice.provider
        known = self._tenant if provider.tenants else self._other_tenant
        self._choose(
            tenant=known.value.strip() if provider.tenants is not None else "",
            environment=self._environment.value,
        )
        self._fill_credentials()

    def _on_grant(self) -> None:
        self._choose(grant=self._grant.value)
        self._fill_credentials()

    def _on_scopes(self, names: tuple[str, ...]) -> None:
        self._choose(scopes=names)

    def _choose(self, **changes: Any) -> None:
        self._choice = choices.changed(self._choice, **changes)
        self._tell()

    # What is shown of it.

    def _fill_provider(self) -> None:
        """Show the tenants, environments, grants and scopes of a provider."""
        choice = self._choice
        provider = choice.provider
        self._is_filling = True
        try:
            self._provider.value = provider.name
            tenants = [
                (_named(*each), each[0]) for each in (provider.tenants or {}).items()
            ]
            kind = provider.tenant_kind.capitalize()
            for control in (self._tenant, self._other_tenant):
                control.description = views.plain_label(kind, 24)
            self._tenant.options = tenants or [""]
            if choice.tenant in (provider.tenants or {}):
                self._tenant.value = choice.tenant
            self._other_tenant.value = choice.tenant
            show(self._tenant, bool(provider.tenants))
            show(self._other_tenant, provider.tenants == {})
            self._environment.options = choices.environments(provider)
            self._environment.value = choice.environment
            grants = choices.beginning_grants(provider)
            self._grant.options = [(each.rpartition(":")[2], each) for each in grants]
            self._grant.value = choice.grant
            show(self._grant, len(grants) > 1)
            self._scopes.fill(provider, choice.scopes)
        finally:
            self._is_filling = False
        self._fill_credentials()

    def _fill_credentials(self) -> None:
        """Show the fields that a grant needs; what was entered for others is gone."""
        choice = self._choice
        self.token = None
        self._said.value = self._granted.value = ""
        self._pending.outputs = ()
        self._notice.value = views.environment_html(choice.environment)
        try:
            choice.check()
            sources = self._session.credential_sources(choice.target, choice.grant)
        except OAuthMagicError as error:
            # As on a public machine in production: nothing is asked for.
            self._credentials.fill({})
            self._failed(error)
            self._tell()
            return
        if choice.environment == "demo":
            self._credentials.fill({}, "The demo brings its own; nothing to fill in.")
        else:
            self._credentials.fill(sources)
        try:
            self._show_token(self._session.show(choice.target))
        except OAuthMagicError:
            self._tell()

    def _tell(self) -> None:
        """Show what follows from the choice: the line, the count, the buttons."""
        choice = self._choice
        is_production = choice.environment == "production"
        can_be_tested = self.token is not None and bool(choice.provider.probe)
        self._line.value = views.line_html(choice.line())
        self._get.button_style = "danger" if is_production else "primary"
        self._get.description = "Get token" + " (PRODUCTION)" * is_production
        self._get.disabled = self._is_busy
        self._test.disabled = self._is_busy or not can_be_tested
        self._keep.disabled = (
            self._is_busy or self.token is None or choice.environment == "demo"
        )

    # What is done.

    def _on_get(self) -> None:
        # First of all: nothing that is entered may be left in a field.
        given = self._credentials.entered()
        choice = self._choice
        choice.check()
        self._pending.outputs = ()
        self._granted.value = ""

        def work() -> None:
            try:
                token = self._session.token(
                    choice.target,
                    scopes=choice.scopes or None,
                    grant=choice.grant,
                    credentials=given,
                )
            except UserActionRequired as error:
                self._asked(error)
            except MissingCredentials as error:
                hint = "Fill in what is empty above; %token? names the other ways."
                raise error.with_hint(hint) from None
            else:
                self._got(token)

        self._start(f"Asking {choice.provider.title} for a token ...", work)

    def _on_test(self) -> None:
        target, probe = self._choice.target, self._choice.provider.probe

        def work() -> None:
            reply = self._session.probe(target)
            said = reply_line(reply)
            self._said.value = (
                views.done_html(said)
                if reply.status < 400  # noqa: PLR2004 - RFC 9110, section 15
                else views.error_html(CommandError(said, hint=reply.hint))
            )

        self._start(f"Asking for {probe} ...", work)

    def _on_keep(self) -> None:
        target = self._choice.target

        def work() -> None:
            kept = self._session.remember(target)
            self._said.value = views.done_html(choices.kept_text(target, kept))

        self._start("Putting the credentials into the keyring ...", work)

    def _start(self, doing: str, work: Callable[[], None]) -> None:
        """Do something that takes time, beside the kernel's cells."""
        if self._is_busy:
            return
        self._is_busy = True
        self._said.value = views.progress_html(doing)
        self._tell()

        def run() -> None:
            unasked.set(True)
            try:
                work()
            except OAuthMagicError as error:
                self._failed(error)
            except Exception as error:  # noqa: BLE001 - a thread's error is seen nowhere
                self._failed(_unexpected(error))
            finally:
                self._is_busy = False
                self._tell()

        try:
            threading.Thread(target=run, daemon=True, name="oauthmagic-form").start()
        except RuntimeError:
            run()  # there are no threads in Pyodide

    def _got(self, token: Token) -> None:
        self._credentials.clear()
        self._pending.outputs = ()
        self._show_token(token)

    def _show_token(self, token: Token) -> None:
        self.token = token
        self._said.value = views.done_html(views.held_text(token))
        self._granted.value = views.granted_html(token, self._choice.provider.scopes)
        self._tell()

    def _asked(self, error: UserActionRequired) -> None:
        """Show what the user must do, and go on when it is done."""
        action = error.pending

        def go_on(token: Token) -> Token:
            if action.target == self.target:
                self._got(token)
            return token

        self._session.when_resumed(action.target, go_on)
        self._said.value = views.progress_html("This waits for you:")
        self._pending.outputs = (
            {
                "output_type": "display_data",
                "data": pending_bundle(action),
                "metadata": {},
            },
        )

    def _failed(self, error: OAuthMagicError) -> None:
        self._said.value = views.error_html(error)


def _titled(provider: Any) -> str:
    return views.plain_label(f"{provider.title} ({provider.name})")


def _named(tenant: str, title: str) -> str:
    return views.plain_label(f"{tenant}: {title}" if title else tenant)


def _unexpected(error: Exception) -> OAuthMagicError:
    return OAuthMagicError(
        f"Something unexpected happened ({type(error).__name__}); that is a mistake "
        "of oauthmagic.",
        hint="Please report it, with what you chose before.",
    )
