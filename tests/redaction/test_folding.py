"""What was done to a text is undone: each escape, each blank, each layer."""

import base64
import html.entities
import string
import time

import pytest

from oauthmagic.redaction import MASK, Secret, redact
from oauthmagic.redaction.folding import fold, joined

SHOWN = [*range(0x21, 0x7F), *(code for code in range(0xA1, 0x100) if code != 0xAD)]


@pytest.mark.parametrize(
    "write",
    [
        "%{:02x}", "%{:02X}", "%25{:02x}", "%252525{:02X}",
        "\\x{:02x}", "\\x{:02X}", "\\\\x{:02x}", "\\\\\\\\x{:02X}",
        "\\u{:04x}", "\\u{:04X}", "\\\\u{:04x}",
        "\\u{{{:x}}}", "\\u{{{:X}}}", "\\u{{{:06x}}}", "\\\\u{{{:x}}}",
        "\\U{:08x}", "\\U{:08X}", "\\\\U{:08x}",
        "&#{};", "&#{:07};", "&amp;#{};", "&amp;amp;amp;#{};",
        "&#x{:x};", "&#X{:X};", "&#x{:06x};", "&amp;#x{:x};",
    ],
)  # fmt: skip
def test_each_escape_of_each_character_is_undone(write):
    """Hexadecimal and decimal, in either case, over itself."""
    for code in SHOWN:
        assert fold(f"g{write.format(code)}z") == f"g{fold(chr(code))}z"


@pytest.mark.parametrize(
    ("character", "escapes"),
    [
        ("é", r"%c3%a9 \xc3\xa9 %c3\xa9 \xC3%A9 &eacute; &amp;eacute;"),
        ("€", r"%E2%82%AC \xe2\x82\xac \u20ac \u{20ac} \U000020AC &euro; &#8364;"),
        ("²", r"%C2%B2 \u00b2 &sup2; &amp;sup2;"),
        ("\U0001f600", r"%F0%9F%98%80 \ud83d\ude00 \uD83D\uDE00 \u{1F600} &#128512;"),
        ("\U0010fffd", r"\udbff\udffd \u{10fffd} \U0010FFFD &#1114109; &#x10fffd;"),
        ("\U0010ffff", r"\u{10ffff} \U0010ffff"),
        ("<", r"&lt; &amp;lt; &amp;amp;lt; &LT;"),
        ("\u2233", r"&CounterClockwiseContourIntegral;"),
        ("", r"\u{9} \u{A} &#9; &#xA; &#xa;"),
        ("", r"\u{110000} \U00110000 \u{ffffff}"),
    ],
)
def test_a_character_of_several_bytes_is_put_together(character, escapes):
    """UTF-8 in octets, UTF-16 in surrogates, code points, names of HTML."""
    for escape in escapes.split():
        assert fold(f"g{escape}z") == f"g{character}z"


def test_each_name_of_html_is_undone():
    """All 2,125 that end in a semicolon, digits in them included."""
    names = [name for name in html.entities.html5 if name.endswith(";")]

    assert len(names) == 2125
    for name in names:
        assert fold(f"g&{name}z") == fold(f"g{html.entities.html5[name]}z")


@pytest.mark.parametrize(
    "text",
    ["%4", "%g1", "%1g", "xg1", "x1g", "u123g", "ug123", "u{}", "u{g}", "u{1",
     "U0000004g", "&#;", "&#g;", "&#x;", "&#xg;", "&amp", "&1;", "&zz9plural;", "&;",
     "u{0000041}", "&#00000065;", "&#x0000041;"],
)  # fmt: skip
def test_what_is_no_escape_stays(text):
    """Of a backslash in front, only the backslash goes."""
    assert fold(f"g{text}z") == f"g{text}z"
    if text[0] in "xuU":
        assert fold(f"g\\{text}z") == f"g{text}z"


@pytest.mark.parametrize("text", ["x41", "u0041", "u{41}", "U00000041", "n"])
def test_an_escape_has_a_backslash(text):
    """What looks like the rest of one is a word."""
    assert fold(f"g{text}z") == f"g{text}z"
    assert fold(f"g\\{text}z") != f"g{text}z"


def test_a_letter_behind_a_backslash_stands_for_a_blank():
    r"""`\n` and its like are nothing, as the line break itself is; others stay."""
    for each in string.ascii_letters + string.digits + "/'\"":
        expected = "" if each in "abfnrtv0" else each
        assert fold(f"g\\{each}z") == fold(f"g\\\\\\{each}z") == f"g{expected}z"


def test_what_a_terminal_does_not_show_is_left_out():
    """Each control sequence of ECMA-48: parameters, intermediates, a final byte."""
    for opening in ("\x1b[", "\x9b"):
        assert fold(f"g{opening}mz") == "gz"
        for code in range(0x30, 0x40):
            assert fold(f"g{opening}{chr(code)}1mz") == "gz"
        for code in range(0x20, 0x30):
            assert fold(f"g{opening}1{chr(code)} mz") == "gz"
        for code in range(0x40, 0x7F):
            assert fold(f"g{opening}1{chr(code)}z") == "gz"
    assert fold("g[1mz") == "g[1mz"
    assert fold("g\x1b[éz") == "g[éz"


@pytest.mark.parametrize(
    "blank",
    [*" \t\n\r\f\v\x00\x08\x1b\x1f\x7f\x80\x85\x9f\xa0\xad\u061c\u180e\u2003\u200b"
     "\u200f\u2028\u2029\u202a\u202e\u2060\u2066\u206f\u3000\ufeff\ufffd\ud800\udfff",
     "  ", "\r\n    ", "\\\n", "\\\r\n", "\\\\\n", "\u200b \ufffd"],
)  # fmt: skip
def test_blanks_and_what_does_not_show_are_left_out(blank):
    """A continued line is no escape of the letter that it goes on with."""
    assert fold(f"g{blank}nz") == "gnz"
    assert fold(f"g{blank}") == fold(f"{blank}g") == "g"


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("'ab'\n'cd'", "'abcd'"),
        ('"ab"\n"cd"', '"abcd"'),
        ("b'ab'\n b'cd'", "b'abcd'"),
        ("'ab' \t\n\n  b'cd'", "'abcd'"),
        ("'ab\n'cd'", "'ab'cd'"),
        ("ab\n'cd'", "ab'cd'"),
        ("'ab'\nbcd'", "'ab'bcd'"),
        ("'ab' 'cd'", "'ab''cd'"),
    ],
)
def test_pieces_of_a_text_are_joined(text, folded):
    """As Python prints a long text: quoted, one piece a line."""
    assert fold(text) == folded


def wrapped(text, layers):
    """Return a text with one layer of escapes over another."""
    for layer in range(layers):
        write = ("&#{};", "%{:02x}")[layer % 2]
        text = "".join(write.format(ord(each)) for each in text)
    return text


def test_four_layers_are_undone():
    """More than anybody has been seen to write; time has to end somewhere."""
    assert [fold(wrapped("g", layers)) for layers in range(5)] == ["g"] * 5
    assert fold(wrapped("g", 5)) == wrapped("g", 1)
    assert fold(f"g{wrapped(chr(10), 4)}z") == "gz"


@pytest.mark.parametrize(
    "way", ["", "%", "\\", "&", "\u200b", "%5c\\", "é", "&amp;", "\x1b[1m"]
)
def test_only_the_secret_is_masked(way):
    """To the character, whatever else is folded in the text around."""
    secret = Secret("canary-of-which-all-goes")
    around = f"<{way}|"

    assert redact(f"{around}canary-of-which-all-goes{around}") == (
        f"{around}{MASK}{around}"
    )
    written = "".join(f"%{ord(each):02x}" for each in "canary-of-which-all-goes")
    assert redact(f"{around}{written}{around}") == f"{around}{MASK}{around}"
    assert redact(f"{around}{written}{around}{written}{around}") == (
        f"{around}{MASK}{around}{MASK}{around}"
    )
    assert secret


def test_secrets_are_masked_in_each_view_of_one_text():
    """Folded, in ASCII, in letters; one after the other, in either order."""
    secrets = [Secret("canary-in-base6"), Secret("é-canary-lost"), Secret("canary%-z")]
    encoded = base64.b64encode(b"canary-in-base6").decode()
    folded = "canary%25-z"

    for parts in ([encoded, folded], [folded, encoded], [folded, "-canary-lost"]):
        for text in ("%41üü+{}|%42é-{}<", "{}{}", "%41 ü{}%42 ü{}%43"):
            assert redact(text.format(*parts)) == text.format(MASK, MASK)
    assert redact("%41üü+-canary-lost|%42") == f"%41üü+{MASK}|%42"
    assert secrets


def test_spans_are_joined():
    """In order; what touches is not what overlaps."""
    assert joined([]) == []
    assert joined([(4, 6), (0, 2), (1, 3)]) == [(0, 3), (4, 6)]
    assert joined([(0, 9), (2, 3)]) == [(0, 9)]
    assert joined([(0, 1), (4, 9), (5, 6)]) == [(0, 1), (4, 9)]
    assert joined([(0, 2), (2, 4)]) == [(0, 2), (2, 4)]


@pytest.mark.parametrize("start", ["\\", "\\x", "\\u", "%25", "&amp;", "\x1b[", '"'])
def test_folding_takes_time_in_proportion(start):
    """A text that almost is an escape, a hundred thousand times."""
    begun = time.process_time()

    fold(start * 100_000)

    assert time.process_time() - begun < 3
