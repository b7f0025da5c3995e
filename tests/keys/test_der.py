from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthmagic.errors import CommandError
from oauthmagic.keys import der

ARCS = st.integers(min_value=0, max_value=2**64)
DOTTED = st.one_of(
    st.builds(
        lambda a, b, c: [a, b, *c],
        st.integers(0, 1),
        st.integers(0, 39),
        st.lists(ARCS, max_size=5),
    ),
    st.builds(
        lambda b, c: [2, b, *c], st.integers(0, 10**6), st.lists(ARCS, max_size=5)
    ),
).map(lambda arcs: ".".join(map(str, arcs)))


@pytest.mark.parametrize(
    ("dotted", "encoded"),
    [
        ("1.3.6.1.5.5.7.1.3", "06082b06010505070103"),
        ("0.4.0.1862.1.6.3", "060704008e46010603"),
        ("0.4.0.19495.2", "06060400819827" + "02"),
        ("2.999", "06028837"),  # X.690, 8.19.5, has the like
        ("2.5.4.97", "0603550461"),
    ],
)
def test_an_identifier_has_one_encoding(dotted, encoded):
    """X.690, section 8.19; the second and third are in published certificates."""
    assert der.write_oid(dotted).hex() == encoded
    (element,) = der.read_elements(bytes.fromhex(encoded))
    assert der.read_oid(element) == dotted


@given(DOTTED)
def test_every_identifier_comes_back(dotted):
    """Reading undoes writing."""
    (element,) = der.read_elements(der.write_oid(dotted))

    assert der.read_oid(element) == dotted


@given(st.lists(st.binary(max_size=400), max_size=5))
def test_every_sequence_comes_back(contents):
    """Short and long lengths: 0, 127, 128, 255, 256 bytes and more."""
    encoded = der.write(
        der.SEQUENCE, *(der.write(der.UTF8_STRING, each) for each in contents)
    )

    assert [each.content for each in der.read_sequence(encoded)] == contents


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data):
    """Whatever comes, it is elements or one kind of error."""
    with contextlib.suppress(CommandError):
        for element in der.read_elements(data):
            for read in (der.read_oid, der.read_text):
                with contextlib.suppress(CommandError):
                    assert isinstance(read(element), str)


@given(st.binary(max_size=300))
def test_what_is_read_is_der(data):
    """Only the one encoding that DER has for a value is read."""
    with contextlib.suppress(CommandError):
        elements = der.read_elements(data)
        assert b"".join(der.write(*each) for each in elements) == data


@pytest.mark.parametrize(
    ("encoded", "why"),
    [
        ("30", "cut off"),
        ("3002", "cut off"),
        ("300105", "cut off"),
        ("3080", "length"),
        ("308105" + "00" * 5, "shortest"),
        ("30820080" + "00" * 128, "shortest"),
        ("3085010000000000", "length"),
        ("3f8101", "more than one byte"),
        ("0c00", "one SEQUENCE"),
        ("30003000", "one SEQUENCE"),
        ("", "one SEQUENCE"),
    ],
)
def test_what_is_not_der_is_refused(encoded, why):
    """Indefinite and padded lengths, long tags, what is cut off or left over."""
    with pytest.raises(CommandError, match=why):
        der.read_sequence(bytes.fromhex(encoded))


@pytest.mark.parametrize("content", ["", "80", "8001", "2a80", "81" * 80 + "01"])
def test_an_identifier_is_whole_short_and_not_huge(content):
    """Empty, padded, cut off, or a number of more than a hundred digits."""
    with pytest.raises(CommandError):
        der.read_oid(der.Element(der.OBJECT_IDENTIFIER, bytes.fromhex(content)))
