"""How long a test goes on: a slice for every day, the whole under `make soak`.

    @settings(max_examples=scaled(5_000, 100_000))
    def test_no_response_ends_in_an_untyped_error(response): ...

Tests that print a number with the fixture `figure`, and those marked `soak`, are what
`make soak` runs.
"""

import os

#: Read when a test file is imported, before its tests see a clean environment.
SOAK = os.environ.get("OAUTHMAGIC_SOAK") == "1"


def scaled(slice_of_it: int, whole: int) -> int:
    """Return how many: the slice in `make test`, the whole in `make soak`."""
    return whole if SOAK else slice_of_it
