"""Read and write the DER of ASN.1: X.690, as far as a QcStatement needs it.

Strict: definite lengths in their shortest form, tags of one byte, nothing left over.
Whatever the bytes are, reading gives elements or a `CommandError`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn

from oauthmagic.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Collection

OBJECT_IDENTIFIER: Final = 0x06
UTF8_STRING: Final = 0x0C
PRINTABLE_STRING: Final = 0x13
IA5_STRING: Final = 0x16
SEQUENCE: Final = 0x30
#: The longest object identifier that is read, in bytes.
MOST_OID_BYTES: Final = 64
_LONG_FORM: Final = 0x80
_SEVEN_BITS: Final = 0x7F
_LONG_TAG: Final = 0x1F
#: Bytes of a length: four count to 4 GiB.
_MOST_LENGTH_BYTES: Final = 4


class Element(NamedTuple):
    """One value with its tag (X.690, section 8.1)."""

    tag: int
    content: bytes


def read_elements(data: bytes) -> tuple[Element, ...]:
    """Return the elements that follow each other in `data`.

    Raises:
        CommandError: It is not DER.
    """
    found = []
    position = 0
    while position < len(data):
        element, position = _read_one(data, position)
        found.append(element)
    return tuple(found)


def read_sequence(data: bytes) -> tuple[Element, ...]:
    """Return the elements of the one SEQUENCE that `data` is.

    Raises:
        CommandError: It is not DER, or something else.
    """
    elements = read_elements(data)
    if len(elements) != 1 or elements[0].tag != SEQUENCE:
        malformed("one SEQUENCE was expected")
    return read_elements(elements[0].content)


def read_oid(element: Element) -> str:
    """Return an OBJECT IDENTIFIER in dotted form (X.690, section 8.19).

    Raises:
        CommandError: It is none.
    """
    content = element.content
    if element.tag != OBJECT_IDENTIFIER or not 0 < len(content) <= MOST_OID_BYTES:
        malformed("an object identifier was expected")
    arcs = []
    value = 0
    begins = True
    for byte in content:
        if begins and byte == _LONG_FORM:
            malformed("an object identifier is not in its shortest form")
        value = value << 7 | byte & _SEVEN_BITS
        begins = not byte & _LONG_FORM
        if begins:
            arcs.append(value)
            value = 0
    if not begins:
        malformed("an object identifier is cut off")
    # The first two numbers share an arc: 40 x first + second.
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def read_text(element: Element, tags: Collection[int] = (UTF8_STRING,)) -> str:
    """Return a text.

    Raises:
        CommandError: It has another tag, or is not UTF-8.
    """
    if element.tag not in tags:
        malformed("a text was expected")
    try:
        return element.content.decode("utf-8")
    except UnicodeDecodeError:
        malformed("a text is not UTF-8")


def write(tag: int, *contents: bytes) -> bytes:
    """Return one element.

    Args:
        tag: Its tag, one byte.
        contents: What is in it, one after the other.
    """
    content = b"".join(contents)
    size = len(content)
    if size < _LONG_FORM:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, _LONG_FORM | len(length)]) + length + content


def write_oid(dotted: str) -> bytes:
    """Return an OBJECT IDENTIFIER.

    Args:
        dotted: For example `"0.4.0.19495.2"`.
    """
    first, second, *others = map(int, dotted.split("."))
    content = bytearray()
    for arc in (40 * first + second, *others):
        groups = [arc & _SEVEN_BITS]
        while arc := arc >> 7:
            groups.append(_LONG_FORM | arc & _SEVEN_BITS)
        content += bytes(reversed(groups))
    return write(OBJECT_IDENTIFIER, bytes(content))


def write_text(text: str, tag: int = UTF8_STRING) -> bytes:
    """Return a text."""
    return write(tag, text.encode("utf-8"))


def malformed(why: str) -> NoReturn:
    """Refuse an encoding.

    Raises:
        CommandError: Always.
    """
    msg = f"The certificate cannot be read: {why}."
    raise CommandError(msg, hint="Ask the issuer of the certificate for a valid one.")


def _read_one(data: bytes, position: int) -> tuple[Element, int]:
    tag = data[position]
    if tag & _LONG_TAG == _LONG_TAG:
        malformed("a tag has more than one byte")
    position += 1
    if position == len(data):
        malformed("an element is cut off")
    length = data[position]
    position += 1
    if length >= _LONG_FORM:
        count = length & _SEVEN_BITS
        octets = data[position : position + count]
        position += count
        length = int.from_bytes(octets, "big")
        if not 0 < count <= _MOST_LENGTH_BYTES or len(octets) < count:
            malformed("a length cannot be read")
        if length < _LONG_FORM or not octets[0]:
            malformed("a length is not in its shortest form")
    end = position + length
    if end > len(data):
        malformed("an element is cut off")
    return Element(tag, data[position:end]), end
