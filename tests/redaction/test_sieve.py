"""Out of many texts, those are picked in which the redactor finds a secret."""

import base64
import html
import json
import time
import urllib.parse

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scales import scaled

from oauthmagic.redaction import Secret, holds_secret, texts_with_secrets

TOKEN = "canary-Zq9xT7wB3kL5mN8_sieve~0123456789.abcdef"
SHORT = "kz-W7q"
TINY = "q9z"
ACCENTED = "pässwörd-€-42-sieve"
CYRILLIC = "пароль-решето"
VALUES = (TOKEN, SHORT, TINY, ACCENTED, CYRILLIC)

WAYS = {
    "plain": str,
    "reversed": lambda text: text[::-1],
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64, behind others": lambda text: base64.b64encode(
        b"a:" + text.encode()
    ).decode(),
    "base32": lambda text: base64.b32encode(text.encode()).decode(),
    "hexadecimal": lambda text: text.encode().hex(),
    "percent": lambda text: "".join(f"%{octet:02X}" for octet in text.encode()),
    "form": urllib.parse.quote_plus,
    "json": json.dumps,
    "escapes": lambda text: "".join(f"\\u{ord(each):04x}" for each in text),
    "entities": lambda text: "".join(f"&#{ord(each)};" for each in text),
    "html": html.escape,
    "lines": "\n".join,
    "a python text in pieces": lambda text: f'"{text[:3]}"\n b"{text[3:]}"',
    "colours": lambda text: f"{text[:2]}\x1b[31m{text[2:]}",
    "an 8-bit terminal": lambda text: f"{text[:2]}\x9b1m{text[2:]}",
    "invisible": "\u200b".join,
    "latin-1": lambda text: text.encode().decode("latin-1"),
    "ascii only": lambda text: text.encode("ascii", "ignore").decode(),
    "another case": str.swapcase,
    "half": lambda text: text[: len(text) // 2],
}


@pytest.fixture(scope="module", autouse=True)
def secrets():
    """A token, a password, an ordinary word, and two that are not in ASCII."""
    kept = [Secret(value) for value in VALUES]
    yield
    assert kept


def agrees(texts):
    """Return whether the sieve picks what the redactor would."""
    return sorted(texts_with_secrets(texts)) == sorted(filter(holds_secret, texts))


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("way", WAYS)
def test_a_secret_is_picked_in_every_form(way, value):
    """In whatever the redactor knows it, wherever it stands, whoever is beside it."""
    written = WAYS[way](value)
    texts = [
        "ordinary",
        written,
        *(f"{'x' * shift}{written}tail" for shift in range(9)),
        f"<{written}>",
        "Zoë & Cie; 50 %",
        "\\",
    ]

    assert agrees(texts)
    for text in texts:
        assert agrees([text])


@settings(max_examples=scaled(100, 20_000))
@given(
    st.lists(
        st.tuples(
            st.text("aB1%&;\\\n\"' é", max_size=4),
            st.sampled_from(list(WAYS.values())),
            st.sampled_from([*VALUES, "other", ""]),
            st.text("aB1%&;\\\n\"' é", max_size=4),
        ),
        max_size=4,
    )
)
def test_no_other_text_hides_a_secret(parts):
    """What stands in one text changes nothing in the next."""
    assert agrees([f"{before}{way(of)}{after}" for before, way, of, after in parts])


def test_the_end_of_one_text_is_no_beginning_of_an_escape():
    """A backslash before a secret that begins with `n` would be a line break."""
    secret = Secret("nabcdefghi-jklmnop")

    assert texts_with_secrets(["a\\", f"{secret.reveal()}\\"]) == [
        f"{secret.reveal()}\\"
    ]


def test_many_texts_take_the_time_of_reading_them(figure):
    """A hundred thousand cells, ten secrets."""
    kept = [Secret(f"{number}-{TOKEN * 9}") for number in range(10)]
    cells = [f"{number * 7919:032x}" for number in range(scaled(20_000, 100_000))]

    began = time.process_time()
    found = texts_with_secrets(cells)
    spent = time.process_time() - began

    assert found == []
    assert kept
    figure("cells looked through for secrets", f"{len(cells) / spent:,.0f} a second")
