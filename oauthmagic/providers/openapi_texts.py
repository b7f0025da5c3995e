"""The text of an OpenAPI description, JSON or YAML, as one object.

YAML is read where PyYAML or ruamel.yaml is installed, and as a tree of texts: no type
is guessed, no tag is followed, nothing is merged, and a name stands once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oauthmagic.errors import ProviderFileError
from oauthmagic.oauth.strict_json import read_object
from oauthmagic.redaction import quote

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_BYTES = 16 << 20
MOST_DEPTH = 100


def read_document(body: bytes) -> dict[str, Any]:
    """Read a text that is one object.

    Args:
        body: JSON if it begins with a brace, YAML otherwise.

    Raises:
        ProviderFileError: What is wrong, without the name of the file.
    """
    if len(body) > MOST_BYTES:
        raise ProviderFileError(f"It is larger than {MOST_BYTES >> 20} MiB.")
    if body.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
        try:
            return read_object(body, max_bytes=MOST_BYTES, max_depth=MOST_DEPTH)
        except ValueError as error:
            raise ProviderFileError(f"It cannot be read: {error}.") from None
    return _read_yaml(body)


def _read_yaml(body: bytes) -> dict[str, Any]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ProviderFileError("It is not UTF-8 text.") from None
    try:
        import yaml  # noqa: PLC0415 - an extra of whoever has one
    except ImportError:
        return _read_with_ruamel(text)
    # libyaml's parser, where it is there, is ten times as fast.
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    return _checked(lambda: yaml.compose(text, Loader=loader), yaml.YAMLError)


def _read_with_ruamel(text: str) -> dict[str, Any]:
    try:
        from ruamel.yaml import YAML  # noqa: PLC0415 - the same
        from ruamel.yaml.error import YAMLError  # noqa: PLC0415 - the same
    except ImportError:
        raise ProviderFileError(
            "It is YAML, and nothing here reads YAML.",
            hint="Install pyyaml or ruamel.yaml, or save the description as JSON.",
        ) from None
    reader = YAML(typ="base", pure=True)
    return _checked(lambda: reader.compose(text), YAMLError)


def _checked(compose: Any, refused: type[Exception]) -> dict[str, Any]:
    try:
        return _object(compose())
    except RecursionError:
        why = f"it is nested more than {MOST_DEPTH} deep"
    except refused as error:
        why = f"it is not YAML: {quote(getattr(error, 'problem', None)) or 'no text'}"
    except ValueError as error:
        why = str(error)
    raise ProviderFileError(f"It cannot be read: {why}.") from None


def _object(root: Any) -> dict[str, Any]:
    """Return what a tree of nodes stands for.

    A node that an alias repeats is made once, so that no text grows by them.
    """
    made: dict[int, Any] = {}

    def value(node: Any, depth: int) -> Any:
        if depth > MOST_DEPTH:
            msg = f"it is nested more than {MOST_DEPTH} deep, or in itself"
            raise ValueError(msg)
        if id(node) not in made:
            if node.id == "scalar":
                made[id(node)] = node.value
            elif node.id == "sequence":
                made[id(node)] = [value(each, depth + 1) for each in node.value]
            else:
                made[id(node)] = dict(_members(node, value, depth))
        return made[id(node)]

    document = value(root, 0) if root is not None else None
    if not isinstance(document, dict):
        msg = "it is not an object"
        raise ValueError(msg)  # noqa: TRY004 - one kind of error, whatever the cause
    return document


def _members(node: Any, value: Any, depth: int) -> Iterator[tuple[str, Any]]:
    names = set()
    for key, each in node.value:
        if key.id != "scalar":
            msg = "it has a name that is no text"
            raise ValueError(msg)
        if key.value in names:
            msg = f"it has two members of the name {quote(key.value, 60)!r}"
            raise ValueError(msg)
        names.add(key.value)
        yield key.value, value(each, depth + 1)
