"""`oauthmagic doctor`: what this host can do, and what to change where it cannot.

Each examination looks at one thing and changes nothing; what it says is plain words,
without a secret: of a proxy only the host, of a variable only the name.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import platform
import ssl
import tempfile
import urllib.parse
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from oauthmagic.errors import OAuthMagicError
from oauthmagic.oauth.callbacks import PATH
from oauthmagic.oauth.redirect_ways import choose_way
from oauthmagic.session.callbacks import Callbacks
from oauthmagic.session.stores import store_directory
from oauthmagic.store.keyrings import Keyring
from oauthmagic.store.locks import Locks
from oauthmagic.store.stores import PASSPHRASE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Verdict = Literal["good", "note", "bad"]
_MARKS = {"good": "ok  ", "note": "note", "bad": "BAD "}
_CA_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_OTHERS_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_PACKAGES = (
    *("ipython", "ipykernel", "ipywidgets", "jupyter_server", "jupyterlab"),
    *("httpx", "pandas", "cryptography", "keyring", "segno"),
)
_EXTENSION = "oauthmagic.server"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What was found about one thing.

    Attributes:
        about: The thing.
        verdict: "good", "note" (it works in another way, or less) or "bad".
        says: What was found, as sentences.
        hint: What to do, or "".
    """

    about: str
    verdict: Verdict
    says: str
    hint: str = ""


def run_doctor(*, as_json: bool, environ: Mapping[str, str] = os.environ) -> int:
    """Print what this host can do; return 1 if something has to be changed.

    Args:
        as_json: Whether to print one JSON object instead of words.
        environ: The environment variables.
    """
    found = list(examine(environ))
    is_bad = any(each.verdict == "bad" for each in found)
    if as_json:
        print(json.dumps({"good": not is_bad, "findings": [*map(asdict, found)]}))
        return int(is_bad)
    for each in found:
        print(f"{_MARKS[each.verdict]}  {each.about}: {each.says}")
        if each.hint:
            print(f"      {each.hint}")
    return int(is_bad)


def examine(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Return what is found, one thing after the other."""
    examinations: tuple[Callable[[Mapping[str, str]], Finding], ...] = (
        _versions,
        _place,
        _redirects,
        _extension,
        _file_store,
        _keyring,
        _certificates,
        _proxies,
    )
    for each in examinations:
        try:
            yield each(environ)
        except Exception as error:  # noqa: BLE001 - the others are still to be examined
            yield Finding(
                about=each.__name__.strip("_").replace("_", " "),
                verdict="bad",
                says=f"it could not be examined ({type(error).__name__}).",
            )


def _versions(_: Mapping[str, str]) -> Finding:
    versions = [f"Python {platform.python_version()}"]
    for name in ("oauthmagic", *_PACKAGES):
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"no {name}")
    return Finding(about="versions", verdict="good", says=", ".join(versions) + ".")


def _place(environ: Mapping[str, str]) -> Finding:
    facts = Callbacks(environ).facts()
    if "Binder" in facts.remote:
        return Finding(
            about="place",
            verdict="note",
            says="this is a Binder: nothing is private, and production is refused.",
            hint="Use the demo environment here.",
        )
    says = facts.remote or "this kernel runs on the machine of its user, as it seems"
    return Finding(about="place", verdict="good", says=f"{says}.")


def _redirects(environ: Mapping[str, str]) -> Finding:
    facts = Callbacks(environ).facts()
    served = [
        f"{server.base_url.rstrip('/')}{PATH} by a Jupyter Server (port {server.port})"
        for server in facts.servers
    ]
    loopback = choose_way(f"http://127.0.0.1:0{PATH}", facts)
    listens = loopback.name == "loopback"
    own = "a listener at http://127.0.0.1, any port" if listens else loopback.why
    says = "; ".join([*served, own.rstrip(".")])
    automatic = bool(served) or listens
    return Finding(
        about="redirects",
        verdict="good" if automatic else "note",
        says=f"{says}. Pasting the redirected URL always works.",
        hint=""
        if automatic
        else "Register a redirect_uri that ends in /oauthmagic/callback "
        "at your Jupyter Server, or log in on another device.",
    )


def _extension(_: Mapping[str, str]) -> Finding:
    about = "Jupyter Server's extension"
    if importlib.util.find_spec("jupyter_server") is None:
        says = "there is no Jupyter Server in this environment."
        return Finding(about=about, verdict="note", says=says)
    places = _enabled_in()
    if places:
        return Finding(about=about, verdict="good", says=f"enabled in {places[0]}.")
    return Finding(
        about=about,
        verdict="note",
        says="it is not enabled.",
        hint=f"jupyter server extension enable {_EXTENSION}",
    )


def _enabled_in() -> list[str]:
    # Where Jupyter Server looks, without importing it.
    from jupyter_core.paths import jupyter_config_path  # noqa: PLC0415 - heavy

    found = []
    for folder in map(Path, jupyter_config_path()):
        files = [folder / "jupyter_server_config.json"]
        files += sorted((folder / "jupyter_server_config.d").glob("*.json"))
        for file in files:
            try:
                config: Any = json.loads(file.read_text(encoding="utf-8"))
                if config["ServerApp"]["jpserver_extensions"][_EXTENSION] is True:
                    found.append(str(file))
            except (OSError, ValueError, LookupError, TypeError):
                continue
    return found


def _file_store(environ: Mapping[str, str]) -> Finding:
    about, place = "file store", store_directory(environ)
    nearest = next(each for each in (place, *place.parents) if each.exists())
    try:
        with tempfile.TemporaryDirectory(dir=nearest, prefix=".oauthmagic-") as folder:
            from oauthmagic.store.disks import Disk  # noqa: PLC0415 - only here

            with Locks(Path(folder), Disk(), patience=0).held("doctor"):
                pass
    except (OSError, OAuthMagicError) as error:
        return Finding(
            about=about,
            verdict="note",
            says=f"{place} cannot be used ({type(error).__name__}).",
            hint='Tokens live in memory: %config OAuthMagic.store = "memory".',
        )
    says = f"{place} can be written and locked"
    if environ.get(PASSPHRASE):
        says += f"; {PASSPHRASE} gives it its key"
    elif _keyring(environ).verdict == "good":
        says += "; its key is in the keyring"
    else:
        return Finding(
            about=about,
            verdict="note",
            says=f"{says}, but there is nothing to seal it with.",
            hint=f"Set {PASSPHRASE} before the kernel starts.",
        )
    return Finding(about=about, verdict="good", says=f"{says}.")


def _keyring(_: Mapping[str, str]) -> Finding:
    if importlib.util.find_spec("keyring") is None:
        return Finding(
            about="keyring",
            verdict="note",
            says="the package keyring is not installed.",
            hint='pip install "oauthmagic[keyring]"; without it, '
            f"{PASSPHRASE} gives the file store its key.",
        )
    try:
        says = f"{Keyring().name()} keeps secrets."
    except OAuthMagicError as error:
        says, hint = str(error), f"{PASSPHRASE} gives the file store its key."
        return Finding(about="keyring", verdict="note", says=says, hint=hint)
    return Finding(about="keyring", verdict="good", says=says)


def _certificates(environ: Mapping[str, str]) -> Finding:
    about = "certificate authorities"
    for name in _CA_VARIABLES:
        value = environ.get(name)
        if value and not Path(value).exists():
            return Finding(
                about=about,
                verdict="bad",
                says=f"{name} names a place that does not exist.",
                hint="Correct it, or take it away: every TLS connection fails so.",
            )
    count = len(ssl.create_default_context().get_ca_certs())
    named = [name for name in _CA_VARIABLES if environ.get(name)]
    ignored = [name for name in _OTHERS_CA_VARIABLES if environ.get(name)]
    says = f"{count} are trusted" + (f", by {' and '.join(named)}" if named else "")
    if ignored:
        return Finding(
            about=about,
            verdict="note",
            says=f"{says}; {' and '.join(ignored)} are not read.",
            hint="Set SSL_CERT_FILE, or ca_file in the provider's file.",
        )
    return Finding(about=about, verdict="good", says=f"{says}.")


def _proxies(_: Mapping[str, str]) -> Finding:
    found = []
    for scheme, url in sorted(urllib.request.getproxies().items()):
        if scheme == "no":
            continue
        # Of the URL the host alone: a proxy's may hold a password.
        host = urllib.parse.urlsplit(url if "://" in url else f"//{url}").hostname
        found.append(f"{scheme} through {host or 'a proxy that cannot be read'}")
    says = "; ".join(found) or "none"
    return Finding(about="proxies", verdict="good", says=f"{says}.")
