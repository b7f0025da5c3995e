"""Processes that are killed while they write to a store; prints what was left.

    killed_writers.py steps DIRECTORY       killed at each step of each kind of write
    killed_writers.py busy DIRECTORY PROVIDER KILLS SEED
                                            four that renew one token, killed at random

A program of its own, without threads, so that it can fork.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from keeping import FailingDisk, keep, make_token, texts
from opened import quick_store

import oauthmagic

BUSY = 4


def in_child(step):
    """Run a step in a process of its own; return whether it was killed."""
    child = os.fork()
    if not child:
        try:
            step()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def create(store):
    """Keep a first token."""
    keep(store, make_token(2))


def replace(store):
    """Renew the token that is kept."""
    keep(store, make_token(2))


def delete(store):
    """Forget the token that is kept."""
    with store.exclusive(make_token().key) as entry:
        entry.delete()


def at_each_step(directory):
    """Kill a writer at each of its steps, and look what is left."""
    found = []
    for write, before, after in (
        (create, [], ["fake-access-2"]),
        (replace, ["fake-access-1"], ["fake-access-2"]),
        (delete, ["fake-access-1"], []),
    ):
        for step in range(1, 100):
            place = directory / f"{write.__name__}-{step}"
            if before:
                keep(quick_store(place), make_token(1))

            def killed(place=place, write=write, step=step):
                write(quick_store(place, disk=FailingDisk(step, code=None)))

            if not in_child(killed):
                break
            left = texts(quick_store(place))
            # The next writer is not held up by what a killed one left.
            keep(quick_store(place, patience=1), make_token(3))
            again = texts(quick_store(place))
            new_files = [path.name for path in place.glob("*.new")]
            good = left in (before, after) and again == ["fake-access-3"]
            found.append([write.__name__, step, good and not new_files])
    return found


def renew_for_ever(session, directory, seed):
    """Be one of the busy."""
    while True:
        try:
            session.refresh("acme")
        except oauthmagic.OAuthMagicError as error:
            with (directory.parent / f"errors-{seed}").open("a") as file:
                file.write(f"{type(error).__name__}: {error}\n")


def start(session, directory, seed):
    """Fork one of the busy; return its number."""
    child = os.fork()
    if not child:
        try:
            renew_for_ever(session, directory, seed)
        finally:
            os._exit(1)
    return child


def busy(directory, provider, kills, seed):
    """Kill one of the busy at a random moment, start another, look at the store."""
    chosen = random.Random(seed)  # noqa: S311 - reproducible
    store = quick_store(directory)
    session = oauthmagic.Session(store=store, environ={})
    session.add(provider)
    session.refresh("acme")  # what is imported at first is imported once
    session.close()
    children = [start(session, directory, number) for number in range(BUSY)]
    torn = 0
    for number in range(kills):
        time.sleep(chosen.uniform(0.02, 0.2))
        victim = children.pop(chosen.randrange(BUSY))
        os.kill(victim, signal.SIGKILL)
        os.waitpid(victim, 0)
        try:
            torn += len(store.tokens()) != 1
        except oauthmagic.OAuthMagicError:
            torn += 1
        children.append(start(session, directory, BUSY + number))
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    errors = [path.read_text() for path in directory.parent.glob("errors-*")]
    return {"kills": kills, "torn": torn, "errors": errors}


if __name__ == "__main__":
    what, place, *rest = sys.argv[1:]
    if what == "steps":
        result = at_each_step(Path(place))
    else:
        result = busy(Path(place), rest[0], int(rest[1]), int(rest[2]))
    sys.stdout.write(json.dumps(result))
