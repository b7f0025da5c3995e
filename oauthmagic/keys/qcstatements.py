"""The certificate extension qcStatements: RFC 3739, ETSI EN 319 412-5, TS 119 495.

What makes a certificate qualified, what kind it is (QcType), and which roles its
owner has as a payment service provider. Several public generators have two of the
role identifiers exchanged; those below agree with the text of TS 119 495.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from oauthmagic.keys import der

if TYPE_CHECKING:
    from collections.abc import Sequence

#: id-pe-qcStatements (RFC 3739, section 3.2.6).
EXTENSION: Final = "1.3.6.1.5.5.7.1.3"
#: EN 319 412-5: compliance, key in a secure device, disclosure statements, type.
QC_COMPLIANCE: Final = "0.4.0.1862.1.1"
QC_SSCD: Final = "0.4.0.1862.1.4"
QC_PDS: Final = "0.4.0.1862.1.5"
QC_TYPE: Final = "0.4.0.1862.1.6"
QC_TYPES: Final = {
    "esign": "0.4.0.1862.1.6.1",
    "eseal": "0.4.0.1862.1.6.2",
    "web": "0.4.0.1862.1.6.3",
}
#: TS 119 495, annex A: the statement, and id-psd2-roles.
PSD2: Final = "0.4.0.19495.2"
ROLES: Final = {
    "PSP_AS": "0.4.0.19495.1.1",
    "PSP_PI": "0.4.0.19495.1.2",
    "PSP_AI": "0.4.0.19495.1.3",
    "PSP_IC": "0.4.0.19495.1.4",
}
#: What the roles are called in sentences.
ROLE_TITLES: Final = {
    "PSP_AS": "account servicing",
    "PSP_PI": "payment initiation",
    "PSP_AI": "account information",
    "PSP_IC": "issuing of card-based payment instruments",
}
_ROLE_NAMES: Final = {oid: name for name, oid in ROLES.items()}
_TYPE_NAMES: Final = {oid: name for name, oid in QC_TYPES.items()}
_LONGEST_TEXT: Final = 256


@dataclass(frozen=True, kw_only=True, slots=True)
class QcStatements:
    """What the extension says.

    Attributes:
        statements: The identifiers of all statements, in order.
        types: `"web"`, `"eseal"`, `"esign"`; an unknown one in dotted form.
        roles: `"PSP_AI"` and so on; an unknown one in dotted form.
        nca_name: The competent authority's name, or "".
        nca_id: Its identifier, for example `"FR-ACPR"`, or "".
    """

    statements: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    nca_name: str = ""
    nca_id: str = ""


def read_qc_statements(data: bytes) -> QcStatements:
    """Read the value of the extension.

    Args:
        data: The DER inside the extension.

    Raises:
        CommandError: It is not what the standards say.
    """
    statements: list[str] = []
    types: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    name = identifier = ""
    for statement in der.read_sequence(data):
        if statement.tag != der.SEQUENCE:
            der.malformed("a QcStatement is no SEQUENCE")
        parts = der.read_elements(statement.content)
        if len(parts) not in (1, 2):
            der.malformed("a QcStatement has an identifier and at most one value")
        oid = der.read_oid(parts[0])
        if oid in statements:
            der.malformed(f"the QcStatement {oid} is there twice")
        statements.append(oid)
        if oid == QC_TYPE:
            types = tuple(
                _TYPE_NAMES.get(each, each)
                for each in map(der.read_oid, _sequence(parts[1:]))
            )
        elif oid == PSD2:
            roles, name, identifier = _read_psd2(_sequence(parts[1:]))
    return QcStatements(
        statements=tuple(statements),
        types=types,
        roles=roles,
        nca_name=name,
        nca_id=identifier,
    )


def write_qc_statements(
    *,
    qc_type: str,
    roles: Sequence[str],
    nca_name: str,
    nca_id: str,
    disclosure: str = "",
) -> bytes:
    """Return the value of the extension.

    Args:
        qc_type: A key of `QC_TYPES`.
        roles: Keys of `ROLES`.
        nca_name: The competent authority's name.
        nca_id: Its identifier.
        disclosure: Address of a disclosure statement in English; with it, the
            certificate claims compliance as well.
    """
    statements = []
    if disclosure:
        statements += [
            _write_statement(QC_COMPLIANCE),
            _write_statement(
                QC_PDS,
                der.write(
                    der.SEQUENCE,
                    der.write(
                        der.SEQUENCE,
                        der.write_text(disclosure, der.IA5_STRING),
                        der.write_text("en", der.PRINTABLE_STRING),
                    ),
                ),
            ),
        ]
    statements += [
        _write_statement(
            QC_TYPE, der.write(der.SEQUENCE, der.write_oid(QC_TYPES[qc_type]))
        ),
        _write_statement(
            PSD2,
            der.write(
                der.SEQUENCE,
                der.write(
                    der.SEQUENCE,
                    *(
                        der.write(
                            der.SEQUENCE,
                            der.write_oid(ROLES[role]),
                            der.write_text(role),
                        )
                        for role in roles
                    ),
                ),
                der.write_text(nca_name),
                der.write_text(nca_id),
            ),
        ),
    ]
    return der.write(der.SEQUENCE, *statements)


def _write_statement(oid: str, *value: bytes) -> bytes:
    return der.write(der.SEQUENCE, der.write_oid(oid), *value)


def _sequence(parts: Sequence[der.Element]) -> tuple[der.Element, ...]:
    if not parts or parts[0].tag != der.SEQUENCE:
        der.malformed("a QcStatement lacks its value")
    return der.read_elements(parts[0].content)


def _read_psd2(parts: Sequence[der.Element]) -> tuple[tuple[str, ...], str, str]:
    """Read a PSD2QcType: roles, authority's name, authority's identifier."""
    if len(parts) != len(("roles", "name", "identifier")):
        der.malformed("the PSD2 statement has three parts")
    roles = tuple(_read_role(each) for each in _sequence(parts[:1]))
    name, identifier = (_short_text(each) for each in parts[1:])
    return roles, name, identifier


def _read_role(element: der.Element) -> str:
    parts = _sequence([element])
    if len(parts) != len(("identifier", "name")):
        der.malformed("a role has an identifier and a name")
    oid = der.read_oid(parts[0])
    name = _short_text(parts[1])
    role = _ROLE_NAMES.get(oid)
    # TS 119 495: the name must fit the identifier. A name alone gives no role.
    if role is not None and role != name:
        der.malformed(f"the role {role} is called something else")
    return role or oid


def _short_text(element: der.Element) -> str:
    text = der.read_text(element)
    if not 0 < len(text) <= _LONGEST_TEXT:
        der.malformed("a text has 1 to 256 characters")
    return text
