"""Answers are read by a library that reads them to the letter, or not at all."""

import subprocess
import sys

import pytest

from oauthmagic.errors import TransportError
from oauthmagic.transport.floors import check_h11


@pytest.mark.parametrize("version", ["0.16.0", "0.16", "0.17.0", "1.0.0", "0.16.0+dev"])
def test_a_release_without_known_flaws_may_read_answers(version):
    """From 0.16 on."""
    check_h11(version)


@pytest.mark.parametrize("version", ["0.15.9", "0.14.0", "0.9", "0.2.16", "", "new"])
def test_an_older_release_may_not(version):
    """CVE-2025-43859: the hint is the line that mends it."""
    with pytest.raises(TransportError, match="Nothing was sent") as refused:
        check_h11(version)

    assert refused.value.sent == "no"
    assert 'pip install --upgrade "h11>=0.16"' in refused.value.hint


def test_the_one_http_client_asks():
    """Whatever else is installed, no transport is made over an old release."""
    code = (
        "import h11; h11.__version__ = '0.14.0'\n"
        "import oauthmagic\n"
        "session = oauthmagic.Session()\n"
        "print(session.api('revsto@demo', '/distributor/v1/products').status)\n"
        "session.token('revsto@sandbox', credentials=dict.fromkeys(\n"
        "    ('client_id', 'client_secret', 'username', 'password'), 'plainly-fake'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )

    assert done.stdout == "200\n"
    assert "TransportError: h11 0.14.0 reads answers" in done.stderr
    assert "Hint: pip install --upgrade" in done.stderr
