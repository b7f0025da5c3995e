from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthmagic.errors import CommandError
from oauthmagic.keys import der
from oauthmagic.keys.qcstatements import (
    PSD2,
    QC_PDS,
    QC_TYPES,
    ROLES,
    QcStatements,
    read_qc_statements,
    write_qc_statements,
)

# Published encodings of the whole extension, for the authority "Financial Conduct
# Authority" (GB-FCA): Open Banking, "eIDAS PSD2 Certificate Signing Request
# Profiles", issue 2.2.
ONE = (
    "305b3013060604008e4601063009060704008e46010603"
    "30440606040081982702303a301330110607040081982701{oid}0c065053505f{name}"
    "0c1b46696e616e6369616c20436f6e6475637420417574686f726974790c0647422d464341"
)
ALL = (
    "3081943013060604008e4601063009060704008e46010603307d06060400819827023073304c"
    "30110607040081982701010c065053505f415330110607040081982701020c065053505f5049"
    "30110607040081982701030c065053505f414930110607040081982701040c065053505f4943"
    "0c1b46696e616e6369616c20436f6e6475637420417574686f726974790c0647422d464341"
)
PUBLISHED = [
    (("PSP_AS",), ONE.format(oid="01", name="4153")),
    (("PSP_PI",), ONE.format(oid="02", name="5049")),
    (("PSP_AI",), ONE.format(oid="03", name="4149")),
    (("PSP_IC",), ONE.format(oid="04", name="4943")),
    (("PSP_AS", "PSP_PI", "PSP_AI", "PSP_IC"), ALL),
]
AUTHORITY = {"nca_name": "Financial Conduct Authority", "nca_id": "GB-FCA"}
TEXTS = st.text(min_size=1, max_size=256).filter(
    lambda text: text.isprintable() and text.encode("utf-8", "ignore")
)


@pytest.mark.parametrize(("roles", "encoded"), PUBLISHED)
def test_published_encodings_are_read(roles, encoded):
    """Each role has its own identifier, whatever some generators believe."""
    assert read_qc_statements(bytes.fromhex(encoded)) == QcStatements(
        statements=("0.4.0.1862.1.6", PSD2), types=("web",), roles=roles, **AUTHORITY
    )


@pytest.mark.parametrize(("roles", "encoded"), PUBLISHED)
def test_published_encodings_are_written(roles, encoded):
    """To the byte."""
    written = write_qc_statements(qc_type="web", roles=roles, **AUTHORITY)

    assert written.hex() == encoded


@given(
    qc_type=st.sampled_from(sorted(QC_TYPES)),
    roles=st.lists(st.sampled_from(sorted(ROLES)), unique=True),
    nca_name=TEXTS,
    nca_id=TEXTS,
    disclosure=st.sampled_from(["", "https://synthetic.invalid/"]),
)
def test_what_is_written_is_read(qc_type, roles, nca_name, nca_id, disclosure):
    """Type, roles and authority come back; a disclosure is a statement more."""
    read = read_qc_statements(
        write_qc_statements(
            qc_type=qc_type,
            roles=roles,
            nca_name=nca_name,
            nca_id=nca_id,
            disclosure=disclosure,
        )
    )

    assert (read.types, read.roles) == ((qc_type,), tuple(roles))
    assert (read.nca_name, read.nca_id) == (nca_name, nca_id)
    assert (QC_PDS in read.statements) == bool(disclosure)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data):
    """Whatever comes, it is statements or one kind of error."""
    with contextlib.suppress(CommandError):
        assert isinstance(read_qc_statements(data), QcStatements)


@given(
    position=st.integers(min_value=0, max_value=len(ALL) // 2 - 1),
    byte=st.integers(min_value=0, max_value=255),
)
def test_a_changed_byte_is_read_or_refused(position, byte):
    """The same for what is almost right."""
    data = bytearray.fromhex(ALL)
    data[position] = byte
    with contextlib.suppress(CommandError):
        assert isinstance(read_qc_statements(bytes(data)), QcStatements)


@given(st.integers(min_value=0, max_value=len(ALL) // 2 - 1))
def test_what_is_cut_off_is_refused(size):
    """No prefix of the extension is an extension."""
    with pytest.raises(CommandError):
        read_qc_statements(bytes.fromhex(ALL)[:size])


def statement(*role):
    """Return the extension with one PSD2 statement that names one role."""
    roles = der.write(der.SEQUENCE, der.write(der.SEQUENCE, *role))
    value = der.write(
        der.SEQUENCE, roles, der.write_text("Nobody"), der.write_text("XX-NO")
    )
    one = der.write(der.SEQUENCE, der.write_oid(PSD2), value)
    return one, der.write(der.SEQUENCE, one)


def test_a_name_that_does_not_fit_its_identifier_is_refused():
    """TS 119 495: the identifier of PSP_PI is not called PSP_AI."""
    _, data = statement(der.write_oid(ROLES["PSP_PI"]), der.write_text("PSP_AI"))
    with pytest.raises(CommandError, match="PSP_PI"):
        read_qc_statements(data)


def test_a_name_alone_gives_no_role():
    """An unknown identifier stays what it is, whatever it is called."""
    _, data = statement(der.write_oid("1.2.3"), der.write_text("PSP_AI"))

    assert read_qc_statements(data).roles == ("1.2.3",)


def test_a_statement_is_there_once():
    """Else each reader could believe another one."""
    one, _ = statement(der.write_oid(ROLES["PSP_AI"]), der.write_text("PSP_AI"))
    with pytest.raises(CommandError, match="twice"):
        read_qc_statements(der.write(der.SEQUENCE, one, one))


def test_a_name_has_at_most_256_characters():
    """TS 119 495, annex A."""
    for name in ("", "x" * 257):
        with pytest.raises(CommandError, match="256"):
            read_qc_statements(
                write_qc_statements(
                    qc_type="web", roles=[], nca_name=name, nca_id="XX-NO"
                )
            )
