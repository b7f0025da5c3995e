"""In which forms a value is looked for, to the character."""

import base64
import gc
import io
import json
import logging
import math
import subprocess
import sys
import threading

import pytest

from oauthmagic.redaction import (
    LONGEST_QUOTE,
    MASK,
    RedactingFilter,
    Secret,
    forget_the_gone,
    holds_secret,
    quote,
    redact,
)
from oauthmagic.redaction.redactor import _index
from oauthmagic.redaction.values import (
    SHORTEST_IN_TEXT,
    live_values,
    number_made,
    register_lock,
    secrets_since,
)


def aligned(value, encode, shift):
    """Return an encoded value behind some other octets, and before others."""
    return encode(b"\xff" * shift + value.encode() + b"\xff" * 5).decode()


@pytest.mark.parametrize("length", [5, 6, 7, 8, 11, 12])
@pytest.mark.parametrize("shift", range(5))
def test_short_values_have_spellings_from_six_characters_on(length, shift):
    """Whatever stands around them; under six, they are masked alone only."""
    value = "jq-zx-vk-wy-"[:length]
    secret = Secret(value)

    for written in (
        value.encode().hex(),
        aligned(value, base64.b64encode, shift),
        aligned(value, base64.b32encode, shift),
        "".join(f"%{ord(each):02x}" for each in value),
        value[::-1],
        f"a{value}b",
    ):
        assert holds_secret(f"<{written}>") is (length >= SHORTEST_IN_TEXT)
    assert redact(f"<{value}>") == f"<{MASK}>"
    assert secret


@pytest.mark.parametrize("shift", range(6))
@pytest.mark.parametrize(
    ("encode", "bits"), [(base64.b64encode, 6), (base64.b32encode, 5)]
)
def test_of_an_encoded_text_all_that_tells_of_the_value_is_masked(shift, encode, bits):
    """To the character: those that are made of other octets, too, stay."""
    secret = Secret("jqzxvkwyhm")
    written = aligned("jqzxvkwyhm", encode, shift)
    first, last = math.ceil(8 * shift / bits), 8 * (shift + 10) // bits

    assert redact(written) == written[:first] + MASK + written[last:]
    assert secret


def test_what_was_json_before_it_was_base64_is_masked_to_its_ends():
    r"""`\u00e9` begins and ends it, and nothing of that is left."""
    secret = Secret("é-jqzxvkw-é")
    written = base64.b64encode(json.dumps("é-jqzxvkw-é")[1:-1].encode()).decode()

    assert redact(written) == MASK
    assert secret


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("a+b", MASK),
        ("a+bc", "a+bc"),
        ("xa+b", "xa+b"),
        ("(a+b).", f"({MASK})."),
        ("aab", "aab"),
    ],
)
def test_a_short_value_is_no_pattern(text, masked):
    """It stands for itself, where no letter is before or behind it."""
    secret = Secret("a+b")

    assert redact(text) == masked
    assert secret


def test_an_empty_secret_masks_nothing():
    """An empty password is in every text."""
    secret = Secret("")

    assert redact("a b") == "a b"
    assert secret


def test_a_few_letters_are_no_spelling():
    """Of `??????` in base64, some alignments leave five letters: words have those."""
    secret = Secret("??????")
    letters = [
        "".join(filter(str.isalnum, aligned("??????", base64.b64encode, shift)[2:9]))
        for shift in (1, 2)
    ]

    assert [redact(each) for each in letters if len(each) < 6] == [
        each for each in letters if len(each) < 6
    ]
    assert redact(base64.b64encode(b"??????").decode()) == f"{MASK}/"
    assert secret


@pytest.mark.parametrize(("kept", "masked"), [("abcdefgh", True), ("abcdefg", False)])
def test_where_characters_were_lost_eight_must_be_left(kept, masked):
    """A terminal that is ASCII only writes `?`, or nothing, for the others."""
    secret = Secret(f"é{kept}")

    assert holds_secret(f"<{kept}>") is masked
    assert secret


@pytest.mark.parametrize(
    ("value", "masked"),
    [("two words", True), ("twowords", False)],
)
def test_a_value_with_blanks_is_found_without_them(value, masked):
    """Short words without any are not put together from prose."""
    secret = Secret(value)

    assert holds_secret("<two\nwords>") is masked
    assert redact(f"<{value}>") == f"<{MASK}>"
    assert secret


def test_a_value_that_cannot_be_written_is_masked():
    """Half of a surrogate pair comes from JSON, and goes into no output."""
    secret = Secret("jqzxvk\ud800wyjqzx")

    assert redact("<jqzxvk\ud800wyjqzx>") == f"<{MASK}>"
    assert secret


def test_a_value_that_is_mostly_blanks_is_masked_as_it_is():
    """The three letters that are left of it are in many words."""
    secret = Secret("a  b  c")

    assert redact("<a  b  c> abc a b c") == f"<{MASK}> abc a b c"
    assert secret


@pytest.mark.parametrize(("length", "masked"), [(11, False), (12, True)])
def test_from_twelve_characters_on_blanks_hide_nothing(length, masked):
    """A long value in two lines is no prose."""
    value = "jqzxvkwyjqzx"[:length]
    secret = Secret(value)

    assert holds_secret(f"<{value[:5]}\n{value[5:]}>") is masked
    assert secret


@pytest.mark.parametrize("length", range(6, 40))
@pytest.mark.parametrize("lead", range(5))
def test_a_value_is_found_wherever_it_stands(length, lead):
    """The index asks for one piece in four; none falls through."""
    value = "jqzxvkwyhjqzxvkwyhjqzxvkwyhjqzxvkwyhjqzxvkwyh"[:length]
    secret = Secret(value)

    assert redact("-" * lead + value + "-") == "-" * lead + MASK + "-"
    assert redact("-" * lead + value) == "-" * lead + MASK
    assert secret


def test_the_same_value_is_found_twice_in_a_row():
    """What touches is masked each; what is in one another is masked once."""
    secrets = [Secret("abcabcabcabc"), Secret("cabcabcabcabx")]

    assert redact("abcabcabcabc" * 2) == MASK * 2
    assert redact("abcabcabcabcabx") == MASK
    assert secrets


@pytest.mark.parametrize("upto", [0, 4, 5, 6, 10, 25, 26, 27, 30, 100, None])
def test_a_text_is_looked_at_in_part(upto):
    """What begins before the end is masked whole; what begins behind it is cut."""
    secret = Secret("canary-of-21-letters!")
    text = "0123 canary-of-21-letters! 89" + "." * 300

    shown = redact(text, upto=upto)

    if upto is None:
        assert shown == f"0123 {MASK} 89" + "." * 300
    elif upto <= 5:
        assert shown == text[:upto]
    else:
        assert shown == f"0123 {MASK}{text[26 : max(upto, 26)]}"
    assert secret


def test_a_text_looked_at_in_part_is_looked_at_far_enough():
    """Sixteen characters for one of the secret's, as in `&amp;amp;#x0041;`."""
    forget_the_gone()
    gc.collect()
    _index._forget_all()
    secret = Secret("abcdefgh" * 5)
    written = "".join(f"&amp;amp;#x{ord(each):04x};" for each in secret.reveal())

    for upto in (1, 2, 16):
        assert redact(written + " and more" * 100, upto=upto) == MASK
    assert redact(written, upto=0) == ""


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Bearer " + "a" * 16, f"Bearer {MASK}"),
        ("Bearer " + "a" * 15, "Bearer " + "a" * 15),
        ("bearer\t\tAZaz09._~+/=-aaaaaa!", f"bearer\t\t{MASK}!"),
        ("BASIC YWJjOmRlZmdoaWprbA==", f"BASIC {MASK}"),
        ("dpop abcdefghij0123456789", f"dpop {MASK}"),
        ("forbearer abcdefghij0123456789", "forbearer abcdefghij0123456789"),
        ("digest abcdefghij0123456789", "digest abcdefghij0123456789"),
        ("Bearerabcdefghij0123456789", "Bearerabcdefghij0123456789"),
    ],
)
def test_credentials_in_a_header_are_masked(text, masked):
    """Whoever's they are: sixteen characters of a token, behind its scheme."""
    assert redact(text) == masked


def test_a_quote_has_a_limit():
    """300 characters unless told; a longer text ends in three dots."""
    assert quote("x" * 300) == "x" * 300 == "x" * LONGEST_QUOTE
    assert quote("x" * 301) == "x" * 297 + "..."
    assert quote("x" * 40, 40) == "x" * 40
    assert quote("x" * 41, 40) == "x" * 37 + "..."
    assert quote(" \n a \t") == "a"
    assert quote(b"x") == quote(None) == ""


def test_a_quote_is_looked_for_in_twenty_times_its_length():
    """Blanks in front of it are no reason to show nothing."""
    assert quote(" " * 180 + "x" * 99, 10) == "x" * 7 + "..."
    assert quote(" " * 199 + "xy", 10) == "x"
    assert quote(" " * 200 + "x", 10) == ""


def test_the_log_filter_cleans_all_of_a_record():
    """The stack, too, and what a broken call would have said; the record is kept."""
    secret = Secret("logged-canary-2")
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RedactingFilter())
    logger = logging.getLogger("tests.redaction.all")
    logger.propagate = False
    logger.addHandler(handler)

    logger.warning("%s is here", "logged-canary-2")
    logger.warning("%d of logged-canary-2", "no number")
    logger.removeHandler(handler)
    record = logging.LogRecord("a", 30, "b", 1, "logged-canary-2 %s", ("x",), None)
    record.stack_info = "Stack: logged-canary-2"
    assert handler.filter(record)

    assert stream.getvalue() == f"{MASK} is here\n%d of {MASK}\n"
    assert (record.msg, record.args) == (f"{MASK} x", None)
    assert record.stack_info == f"Stack: {MASK}"
    assert secret


def test_the_log_filter_cleans_a_traceback_once():
    """What was formatted is kept; the exception itself goes no further."""
    secret = Secret("logged-canary-3")
    try:
        int("logged-canary-3")
    except ValueError as error:
        info = (ValueError, error, error.__traceback__)
    record = logging.LogRecord("a", 30, "b", 1, "m", None, info)

    assert RedactingFilter().filter(record)

    assert record.exc_info is None
    assert record.exc_text.startswith("Traceback (most recent call last)")
    assert record.exc_text.endswith(f"'{MASK}'")
    assert secret


def test_secrets_are_counted():
    """The index asks how many there were, and for the new ones."""
    before = number_made()
    one, two = Secret("canary-one"), Secret("canary-two!")

    assert number_made() == before + 2
    assert secrets_since(before)[0] is one
    assert [each.reveal() for each in secrets_since(before + 1)] == ["canary-two!"]
    assert secrets_since(before + 2) == []
    values = live_values()
    assert values.index("canary-two!") < values.index("canary-one")
    assert two


def test_nobody_registers_while_another_one_reads():
    """One lock for the register and for the index made of it."""
    made = threading.Event()

    def make():
        Secret("canary-in-a-thread")
        made.set()

    def ask():
        redact("canary-in-a-thread")
        made.set()

    def count():
        secrets_since(0)
        made.set()

    def forget():
        forget_the_gone()
        made.set()

    def measure():
        _index.longest()
        made.set()

    for target in (make, ask, count, forget, measure):
        redact("")  # the index is up to date
        made.clear()
        thread = threading.Thread(target=target, daemon=True)
        with register_lock:
            thread.start()
            assert not made.wait(0.05)
        thread.join(30)
        assert made.is_set()


def test_the_first_secret_of_a_process_is_known():
    """And it is still known when the index was made anew."""
    code = """
from oauthmagic.redaction import Secret, forget_the_gone, redact
first = Secret("canary-first-of-all")
print(redact("<canary-first-of-all>"))
for number in range(300):
    Secret(f"canary-gone-{number}")
redact("")
forget_the_gone()
later = Secret("canary-later-than-all")
print(redact("<canary-later-than-all> <canary-first-of-all>"))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == [f"<{MASK}>"] * 3


@pytest.mark.parametrize(
    ("known", "alive"),
    [(100, 0), (101, 0), (150, 149), (200, 99), (201, 99), (250, 99)],
)
def test_the_index_is_made_anew_when_most_of_it_is_gone(known, alive):
    """More than a hundred, and more than twice as many as there are."""
    forget_the_gone()
    gc.collect()
    others = len(secrets_since(0))
    _index._forget_all()
    held = [Secret(f"canary-{number}-jqzxvkwyhm") for number in range(known)]
    redact("")
    del held[alive:]
    forget_the_gone()
    gc.collect()
    latest = Secret("canary-latest-of-all")

    assert redact("<canary-latest-of-all>") == f"<{MASK}>"

    size, living = others + known, others + alive + 1
    anew = size > 100 and size > 2 * living
    assert _index._size == (living if anew else size + 1)
    assert latest
