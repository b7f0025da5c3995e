"""Every kind of secret is found, and what only looks like one is not."""

from __future__ import annotations

import plants
import pytest

from oauthmagic.scan.files import search_for
from oauthmagic.scan.judges import Context
from oauthmagic.scan.kinds import KINDS
from oauthmagic.scan.texts import hits_in

SEARCH = search_for([], b"key of the tests")
#: Found by where they stand, not by how they are written; see test_notebooks.py.
PLACED = {"known-value", "password-widget"}


def found_in(text, context="text"):
    """Return the names of what is found."""
    return [hit.kind.name for hit in hits_in(text, Context(context), SEARCH)]


def test_every_kind_has_examples():
    """One that is found and one that is not, at least."""
    assert set(plants.KINDS) == {kind.name for kind in KINDS} - PLACED
    for which in ("planted", "lookalikes"):
        assert {name for name, *_ in plants.examples(which)} == set(plants.KINDS)


@pytest.mark.parametrize(("kind", "context", "template"), plants.examples("planted"))
def test_it_is_found(kind, context, template):
    """By its own kind or by a more telling one, and once."""
    for seed in range(5):
        text, values = plants.filled(template, seed)

        hits = hits_in(text, Context(context), SEARCH)

        assert kind in [hit.kind.name for hit in hits], text
        for hit in hits:
            assert not any(value in hit.excerpt for value in values)


@pytest.mark.parametrize(("kind", "context", "template"), plants.examples("lookalikes"))
def test_a_lookalike_is_not(kind, context, template):
    """Placeholders, fingerprints, hashes, identifiers, expressions, prose."""
    for seed in range(5):
        text, _ = plants.filled(template, seed)

        assert found_in(text, context) == [], (kind, text)
