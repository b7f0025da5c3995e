"""A process among several that use one token; driven by lines on its input.

Its arguments are the directory of the store and the provider's file. For each line it
uses the token once and answers with one line: how its access token ends, or the error.
"""

import sys
from pathlib import Path

from opened import quick_store

import oauthmagic


def say(line):
    """Tell the test."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(directory, provider):
    """Use the token at each line, until there are no more."""
    session = oauthmagic.Session(store=quick_store(Path(directory)), environ={})
    session.add(provider)
    say("ready")
    for _ in sys.stdin:
        try:
            reply = session.api("acme", "GET /ping")
            token = session.show("acme").access_token.reveal()
            answer = f"{reply.status} {token}"
        except oauthmagic.OAuthMagicError as error:
            answer = f"{type(error).__name__} {error}"
        say(answer)


if __name__ == "__main__":
    main(*sys.argv[1:])
