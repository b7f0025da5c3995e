"""The client's certificates, looked at before the first byte is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauthmagic.errors import PreflightFailed

if TYPE_CHECKING:
    from oauthmagic.oauth.credentials import Credentials
    from oauthmagic.runtime.world import World


def check_certificates(
    world: World, credentials: Credentials, scopes: tuple[str, ...]
) -> None:
    """Refuse certificates that the server would refuse, with the reason.

    Raises:
        PreflightFailed: What will not do, and what to do about it.
    """
    if world.provider.preflight is None:
        return
    checks = world.provider.preflight(credentials, scopes, world.clock())
    failed = [each for each in checks if not each.ok]
    if failed:
        what = "; ".join(f"{each.name}: {each.found}" for each in failed)
        msg = f"The certificates for {world.target} will not do: {what}."
        raise PreflightFailed(msg, hint=" ".join(each.advice for each in failed))
