"""`%token`, `%api` and `%%api`: thin doors, and how they come and go.

This module is all that `%load_ext oauthmagic` imports; everything behind a door
is imported when the door is first opened.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from IPython.core.magic import no_var_expand
from traitlets import Bool, Dict, Enum, Float
from traitlets.config import Configurable

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import InteractiveShell

_MAGICS = (("line", "token"), ("line", "api"), ("cell", "api"))
#: Classes of which a notebook shows more than their `repr`.
_SHOWN = (
    ("oauthmagic.oauth.tokens", "Token"),
    ("oauthmagic.views.tokens", "ShownToken"),
)


class OAuthMagic(Configurable):
    """Settings of the magics: `%config OAuthMagic`."""

    environment = Enum(
        ["demo", "sandbox", "production"],
        default_value=None,
        allow_none=True,
        help="The environment of targets that name none; else sandbox.",
    ).tag(config=True)
    timeout = Float(
        None,
        allow_none=True,
        help="Seconds for one exchange; else 8 for a token, 30 for an API request.",
    ).tag(config=True)
    max_wait = Float(
        10.0, help="Seconds to wait in all where a server says Retry-After."
    ).tag(config=True)
    store = Enum(
        ["memory", "file", "keyring"],
        default_value="memory",
        help="Where tokens are kept: memory ends with the kernel; file is encrypted "
        "and shared by your kernels; keyring is the operating system's.",
    ).tag(config=True)
    settings = Dict(help="Settings of providers: {'stet': {'version': '1.6.2'}}.").tag(
        config=True
    )
    short_errors = Bool(
        default_value=True,
        help="Show errors as one sentence and a hint, without a traceback.",
    ).tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        #: Kinds and names of the magics, for unloading.
        self.registered: list[tuple[str, str]] = []
        #: What the session has been told.
        self._told: dict[str, Any] = {
            "environment": None,
            "timeout": None,
            "settings": {},
            "store": "memory",
        }
        self._told["max_wait"] = self.traits()["max_wait"].default_value

    def told(self, name: str) -> bool:
        """Return whether the session was told another value than the default."""
        default = {} if name == "settings" else self.traits()[name].default_value
        return bool(self._told[name] != default)

    def tell(self, configure: Callable[..., None]) -> None:
        """Tell a session what was changed since it was last told.

        What it refuses it is told again at the next line: nobody shall go on in
        memory who chose a file.
        """
        now = {name: getattr(self, name) for name in self._told}
        for name in [name for name in now if now[name] != self._told[name]]:
            configure(**{name: now[name]})
            self._told[name] = now[name]


class OAuthMagics:
    """The magics; each is parsed and run in `oauthmagic.notebook.commands`."""

    def __init__(self, shell: InteractiveShell, settings: OAuthMagic) -> None:
        self.shell = shell
        self.settings = settings

    @no_var_expand
    def token(self, line: str) -> Any:
        """Get, show, refresh and forget OAuth 2.0 tokens.

        %token                            table of the tokens held now
        %token TARGET [--scope S ...]     a usable token: the one held, else a new one
        %token show TARGET                what is known of the token held: its life, its
                                          scopes, the claims of a JWT (unverified)
        %token refresh TARGET             renew it now
        %token revoke TARGET              revoke it at the server, then forget it
        %token introspect TARGET          ask the server what it knows of it
        %token forget TARGET | --all      forget it here (the server is not told)
        %token form [TARGET]              the same as a form; what it got is its .token
        %token scopes TARGET              table: scope, description, requested, granted
        %token endpoints TARGET           table: what can be asked, with which scopes
        %token providers                  table of what can be named
        %token add FILE.toml | URL        a provider of your own: a file, or its issuer
        %token adopt TARGET --from VAR    look after a token got elsewhere
        %token resume [TARGET]            finish what waits for you
        %token trace [TARGET]             diagram of what was exchanged, without secrets
        %token timeline [TARGET]          picture of tokens: issued, refreshed, over
        %token code TARGET --lang L       the same token request as a program
        %token demo TARGET --advance S    play the simulator's side

        TARGET is provider[/tenant][@environment]: revsto@demo, stet/17515@sandbox. The
        environment is sandbox unless you say otherwise; demo needs no credentials.

        Options of a token:
          --scope S [S ...]    scopes that it must have
          --all-scopes         every scope of the provider; ask for less if you can
          --grant G            the grant to perform, instead of the provider's default
          --fresh              get a new one even if one is held
          --credentials VAR    a mapping in the notebook: client_id, client_secret,
                               username, password
          --env-file PATH      a file of OAUTHMAGIC_<PROVIDER>_<ENVIRONMENT>_<FIELD>=...
          --as NAME            a name for it, usable wherever a target is
          --remember           keep the credentials that it came by in the keyring of
                               the operating system, where later ones are found
          --answer WORD        where you must act: a code, or in a demo accept, refuse
                               or timeout; the same as resume with it
          -q, --quiet          show nothing

        Options of add: --as NAME, another name for the provider. An issuer's URL
        (https://id.acme.example) is asked for its metadata at once, and is a sandbox
        unless you write --as NAME@production. --openapi FILE, an OpenAPI 3.0 or 3.1
        description (JSON or YAML) of its endpoints: behind FILE.toml, URL or the NAME
        of a provider that is known; or alone, where it says how to get a token.

        Options of forget: --keyring, to forget the target's credentials in the keyring,
        too.

        Options of form: --ask, to be asked step by step where no form is shown.

        Options of introspect: --of refresh_token, to ask about that instead of the
        access_token.

        Options of code: --lang curl, python (httpx), python-requests or javascript; and
        --scope, --all-scopes, --grant. Secrets are names of environment variables.

        Options of show: --verify, to have the claims of a JWT verified with the keys at
        the provider's jwks_uri; --credentials VAR and --env-file PATH, to have
        certificates looked at before there is a token.

        Options of adopt: --from VAR, a mapping with access_token, refresh_token,
        expires_in, scope; --credentials VAR; --env-file PATH; --as NAME.

        Options of resume: --answer; without it you are asked, and what you enter (the
        redirected URL, a code) is not shown. A card does the same; a redirect that
        comes back by itself and a login on another device (--grant device_code) need
        neither, and resume asks the server about the latter at once.

        Options of demo:
          --advance SECONDS    let time pass
          --revoke             revoke every access token at the server
          --throttle [SECONDS] answer 429 with Retry-After for a while (5 s)
          --refuse             refuse token requests, as for an address not allowed
          --errors FAMILY      another family of errors, for revsto league7, league8
                               or league9
          --reset              stop refusing and throttling

        No option takes a secret: the line would be kept in the history. Credentials
        come from --credentials VAR, environment variables, an env file, the keyring
        (service oauthmagic, item TARGET/FIELD), the form or a prompt.

        Examples:
          t = %token revsto@demo
          %token revsto@sandbox --scope account_view transaction_view
          %token demo revsto@demo --advance 271
        """
        return self._open("token", line)

    @no_var_expand
    def api(self, line: str, cell: str | None = None) -> Any:
        """Send authorized requests, and give back replies or DataFrames.

        %%api TARGET [options]
        METHOD /path
        Header: value

        body

        %api TARGET [options] GET /path

        The cell is the portable subset of `.http` files: the method is GET if there
        is none; query lines may be indented; # and // begin comments; `###` separates
        several requests; `@name = value` and {{name}} are variables, looked up in the
        cell, then in the notebook; {{$guid}}, {{$timestamp}}, {{$isoTimestamp}} are
        built in; `< ./file` sends a file, alone or as a part of a multipart body. The
        token is added by itself, and goes only to the origins that the provider
        declares.

        A cURL command, pasted as the cell, is turned into such a request and shown, so
        that you can keep it; a secret in it is refused.

        Options:
          --out NAME           put the result into a variable instead of showing it
          --frame [PATH]       a DataFrame; PATH is where the rows are (data.items)
          --all                every page of a list, 1,000 at most: --max-pages N
          --each FRAME         one request for each row: {{column}} is the row's value
                               in path, query, headers and body; the result has a row
                               for each, with status, error, attempts, elapsed and the
                               flattened reply
          --save FILE          the body of the reply goes into a file, and not through
                               memory; --overwrite replaces one that is there
          --show WHAT          headers, body or exchange: print it, redacted
          --dry-run            print what would be sent; send nothing
          --lang L             print it as a program: curl, python (httpx),
                               python-requests or javascript; send nothing
          -q, --quiet          show nothing

        Options of --each:
          --rate N             at most N requests in a second
          --concurrency N      at most N at once (64)
          --checkpoint FILE    remember what was answered: the same cell goes on where
                               it stopped, also after the kernel was killed
          --to FILE.parquet    the result into a file, and not through memory
          --engine dask        let the workers of the current Dask client send them; the
                               result is a Dask DataFrame
          --yes-post           send POST and PATCH without an idempotency key; they are
                               then not repeated where a connection is lost

        Examples:
          %%api revsto@demo --frame --out products
          GET /distributor/v1/products

          %api revsto@demo --frame GET /distributor/v1/transactions?limit=5

          %api revsto@demo --all --frame --out rows GET /distributor/v1/transactions

        Many rows, of the DataFrame `rows`:
          %%api revsto@demo --each rows --out details --checkpoint details.rows
          GET /distributor/v1/transactions/{{id}}

             status error                                     attempts elapsed id
          0     200 <NA>                                             1   0.043 51001
          1    <NA> missing value: {{id}}. Nothing was sent.         0     NaN NaN
          2     404 404 Not Found: Check the path; it is ...         1   0.038 NaN

        Ctrl-C keeps what is done under --out. Run the cell again, and it goes on; after
        a restart of the kernel, too. --dry-run shows the first request. Floats that
        are all whole, as pandas makes them of integers, are sent as integers.
        """
        return self._open("api", line, cell)

    def _open(self, door: str, *typed: Any) -> Any:
        from oauthmagic.notebook.boundary import run  # noqa: PLC0415 - first use

        return run(door, self.shell, self.settings, *typed)


def load(shell: InteractiveShell) -> None:
    """Register magics, settings, formatters, completion and the history's guard."""
    if _loaded(shell):
        return
    settings = OAuthMagic(parent=shell)
    magics = OAuthMagics(shell, settings)
    names = shell.magics_manager.magics
    taken = {*names["line"], *names["cell"]}
    free_names = {name: _free_name(name, taken) for name in ("token", "api")}
    for kind, name in _MAGICS:
        free = free_names[name]
        shell.register_magic_function(getattr(magics, name), kind, free)
        settings.registered.append((kind, free))
    _configurables(shell).append(settings)
    for mime, formatter in (("text/plain", _plain), ("text/html", _html)):
        for module, name in _SHOWN:
            _formatters(shell)[mime].for_type_by_name(module, name, formatter)
    matcher = _matcher()
    if matcher is not None:
        shell.Completer.custom_matchers.append(matcher)
    for keeper, name, guarded in _kept_by(shell):
        guard: Any = guarded(getattr(keeper, name), shell)
        guard.of_oauthmagic, guard.before = True, vars(keeper).get(name)
        setattr(keeper, name, guard)


def unload(shell: InteractiveShell) -> None:
    """Remove what `load` added, and nothing else."""
    settings = _loaded(shell)
    if settings is None:
        return
    _configurables(shell).remove(settings)
    _take_back(settings)
    for kind, name in settings.registered:
        shell.magics_manager.magics[kind].pop(name, None)
    for mime in ("text/plain", "text/html"):
        for module, name in _SHOWN:
            _formatters(shell)[mime].pop(f"{module}.{name}", None)
    matchers = getattr(shell.Completer, "custom_matchers", [])
    matchers[:] = [each for each in matchers if not hasattr(each, "of_oauthmagic")]
    for keeper, name, _ in _kept_by(shell):
        guard: Any = vars(keeper).get(name)
        if getattr(guard, "of_oauthmagic", False):
            if guard.before is None:
                delattr(keeper, name)
            else:
                setattr(keeper, name, guard.before)


def _take_back(settings: OAuthMagic) -> None:
    """Give the session back what `%config` changed; end what it has going on."""
    session = sys.modules.get("oauthmagic.session")
    if session is not None:
        session.current_session().stop_waiting()
    changed = [name for name in settings.traits(config=True) if name != "short_errors"]
    if session is not None and any(settings.told(name) for name in changed):
        session.current_session().configure(**dict.fromkeys(changed))


def _free_name(name: str, taken: set[str]) -> str:
    """Return the name to register, another one where somebody else has it."""
    if name not in taken:
        return name
    print(f"%{name} exists already; oauthmagic's is %oauth_{name}.")  # noqa: T201
    return f"oauth_{name}"


def _loaded(shell: InteractiveShell) -> OAuthMagic | None:
    return next(
        (each for each in _configurables(shell) if isinstance(each, OAuthMagic)), None
    )


def _configurables(shell: InteractiveShell) -> list[Any]:
    return shell.configurables


def _formatters(shell: InteractiveShell) -> Any:
    return shell.display_formatter.formatters  # type: ignore[union-attr]


def _plain(token: Any, printer: Any, cycle: bool) -> None:  # noqa: ARG001, FBT001
    from oauthmagic.views.tokens import token_text  # noqa: PLC0415 - when shown

    printer.text(token_text(token))


def _html(token: Any) -> str:
    from oauthmagic.views.tokens import token_html  # noqa: PLC0415 - when shown

    return token_html(token)


def _matcher() -> Any:
    """Return the completion matcher, or None before IPython 8.6."""
    from IPython.core import completer  # noqa: PLC0415 - loaded already

    if not hasattr(completer, "context_matcher"):
        return None

    @completer.context_matcher()
    def oauthmagic_matcher(context: Any) -> Any:
        from oauthmagic.notebook.completion import complete  # noqa: PLC0415

        return complete(context)

    oauthmagic_matcher.of_oauthmagic = True
    return oauthmagic_matcher


def _kept_by(shell: InteractiveShell) -> list[tuple[Any, str, Any]]:
    """Return what keeps the source of cells, by which method, and its guard."""
    keepers = [
        (getattr(shell, "history_manager", None), "store_inputs", _guarded_history),
        (shell.logger, "log", _guarded_log),
        (shell.compile, "cache", _guarded_cache),
    ]
    return [each for each in keepers if each[0] is not None]


def _guarded_log(log: Any, shell: InteractiveShell) -> Any:
    """Guard `%logstart`, which gets what was typed past the history."""

    def log_redacted(line_mod: str, line_ori: str) -> None:
        from oauthmagic.notebook.history import redacted_inputs  # noqa: PLC0415

        log(*redacted_inputs(line_mod, line_ori, shell.transform_cell))

    return log_redacted


def _guarded_cache(cache: Any, _: InteractiveShell) -> Any:
    """Guard the lines that tracebacks quote."""

    def cache_redacted(*args: Any, **kwargs: Any) -> Any:
        from oauthmagic.notebook.history import redact_cached  # noqa: PLC0415

        name = cache(*args, **kwargs)
        redact_cached(name)
        return name

    return cache_redacted


def _guarded_history(store_inputs: Any, shell: InteractiveShell) -> Any:
    def store_redacted(
        line_num: int, source: str, source_raw: str | None = None
    ) -> None:
        from oauthmagic.notebook.history import redacted_inputs  # noqa: PLC0415

        store_inputs(
            line_num, *redacted_inputs(source, source_raw, shell.transform_cell)
        )

    return store_redacted
