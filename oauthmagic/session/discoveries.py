"""Issuers asked once: what they said is kept as long as the session."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from oauthmagic.errors import DiscoveryFailed, listed
from oauthmagic.flows.discovery import check_issuer, discover, elsewhere
from oauthmagic.oauth.targets import target_to_add
from oauthmagic.providers.oidc import environment_of, name_for, provider_of

if TYPE_CHECKING:
    from oauthmagic.oauth.metadata import ServerMetadata
    from oauthmagic.oauth.targets import Target
    from oauthmagic.providers.environments import Environment
    from oauthmagic.providers.provider import Provider
    from oauthmagic.runtime.world import World
    from oauthmagic.transport.wire import Transport


class Discoveries:
    """Remembers metadata: endpoints do not change under a token that is held."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str | None], ServerMetadata] = {}
        self._lock = threading.Lock()

    def environment(self, world: World) -> Environment:
        """Return a world's environment with the endpoints that its issuer names.

        What the provider says itself wins. Nobody sees what an issuer says at this
        moment, so one on another host than the issuer's is refused, with the lines
        that would accept it.

        Raises:
            DiscoveryFailed: There is no metadata, or none that may be believed.
        """
        before = world.environment
        issuer = before.endpoints["issuer"]
        with self._lock:
            metadata = self._known.get((issuer, before.ca_file))
            if metadata is None:
                metadata = discover(
                    world.transport, issuer, timeout=world.token_timeout
                )
                strange = set(elsewhere(metadata)) - set(before.endpoints)
                if strange:
                    raise _on_other_hosts(metadata, sorted(strange))
                self._known[issuer, before.ca_file] = metadata
        found = environment_of(metadata, before.name, before.api_base)
        return replace(
            found,
            ca_file=before.ca_file,
            endpoints={**found.endpoints, **before.endpoints},
        )


def target_of(issuer: str, name: str) -> Target:
    """Return what an issuer that is added is called.

    Args:
        issuer: The issuer identifier.
        name: `NAME` or `NAME@ENVIRONMENT`; "" takes the name from the host. Without
            an environment, an issuer is a sandbox: nothing is production by chance.

    Raises:
        CommandError: The name, or the URL, is none.
    """
    check_issuer(issuer)
    return target_to_add(name or name_for(issuer), issuer)


def provider_at(
    issuer: str, target: Target, *, api_base: str, transport: Transport, timeout: float
) -> Provider:
    """Ask an issuer now, and return the provider that it describes.

    Endpoints on other hosts are accepted here: whoever adds an issuer is shown them.

    Args:
        issuer: The issuer identifier.
        target: What it is called, from `target_of`.
        api_base: What paths are resolved against; "" is the issuer's origin.
        transport: What sends the question.
        timeout: Seconds for all of it.

    Raises:
        DiscoveryFailed: There is no metadata, or none that may be believed.
    """
    metadata = discover(transport, issuer, timeout=timeout)
    return provider_of(
        metadata,
        name=target.provider,
        environment=target.environment,
        api_base=api_base.rstrip("/") or check_issuer(issuer).origin,
    )


def _on_other_hosts(metadata: ServerMetadata, names: list[str]) -> DiscoveryFailed:
    """Return the error for endpoints that nobody has seen."""
    msg = (
        f"{metadata.issuer} names endpoints on other hosts than its own: "
        f"{listed(names)}. Nothing was sent there."
    )
    lines = "\n".join(f'{name} = "{url}"' for name, url in metadata.endpoints.items())
    return DiscoveryFailed(
        msg, hint=f"If they are the provider's, say so in its description:\n{lines}"
    )
