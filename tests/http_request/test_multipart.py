from __future__ import annotations

import email.policy
from datetime import UTC, datetime
from email.parser import BytesParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthmagic.errors import RequestSyntaxError, UnknownName
from oauthmagic.http_request import parse

HEAD = "POST /documents\nContent-Type: multipart/form-data; boundary=cut\n\n"
NAMED = 'Content-Disposition: form-data; name="type"\n'


def filled(text, files=None, **values):
    """Return the one request of a text, its files given by name."""
    (template,) = parse(text)
    return template.fill(
        values.__getitem__,
        now=datetime(2026, 1, 1, tzinfo=UTC),
        guid=lambda: "guid",
        files=(files or {}).__getitem__,
        known_names=values,
    )


def parts_of(request):
    """Return a body's parts as Python's own reader sees them: headers, content."""
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers)
    message = BytesParser(policy=email.policy.HTTP).parsebytes(
        head.encode() + b"\r\n" + request.body
    )
    assert message.is_multipart()
    assert not message.defects
    return [(part, part.get_payload(decode=True)) for part in message.iter_parts()]


def test_a_document_is_sent_beside_its_fields():
    """The JetBrains way to write it: parts with headers, `< ./file` as content."""
    text = (
        f"{HEAD}--cut\n{NAMED}\nPASSPORT\n"
        '--cut\nContent-Disposition: form-data; name="file"; filename="p.png"\n'
        "Content-Type: image/png\n\n< ./p.png\n\n--cut--\n"
    )

    request = filled(text, {"./p.png": b"\x89PNG\r\n\x1a\n\x00\xff"})

    assert request.body == (
        b'--cut\r\nContent-Disposition: form-data; name="type"\r\n\r\nPASSPORT\r\n'
        b'--cut\r\nContent-Disposition: form-data; name="file"; filename="p.png"\r\n'
        b"Content-Type: image/png\r\n\r\n\x89PNG\r\n\x1a\n\x00\xff\r\n--cut--\r\n"
    )
    assert [content for _, content in parts_of(request)] == [
        b"PASSPORT",
        b"\x89PNG\r\n\x1a\n\x00\xff",
    ]


@given(content=st.binary(max_size=300))
def test_bytes_arrive_as_they_are(content):
    """Whatever a file holds is sent unchanged, line ends and zeros included."""
    if b"\n--cut" in b"\n" + content:
        return
    text = f"{HEAD}--cut\n{NAMED}\n< ./x\n--cut--"

    assert filled(text, {"./x": content}).body == (
        b'--cut\r\nContent-Disposition: form-data; name="type"\r\n\r\n'
        + content
        + b"\r\n--cut--\r\n"
    )


@given(name=st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=40))
def test_a_file_name_never_leaves_its_quotes(name):
    """A value is escaped as forms escape it (RFC 7578, section 2)."""
    text = (
        f'{HEAD}--cut\nContent-Disposition: form-data; name="f"; '
        'filename="{{name}}"\n\nx\n--cut--'
    )

    head = filled(text, name=name).body.decode().split("\r\n")[1]

    quoted = head.removeprefix(
        'Content-Disposition: form-data; name="f"; filename="'
    ).removesuffix('"')
    assert '"' not in quoted
    assert quoted == name.replace('"', "%22")


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb"])
def test_a_line_end_in_a_name_adds_no_header(value):
    """It is written as %0D%0A, as browsers do."""
    text = (
        f'{HEAD}--cut\nContent-Disposition: form-data; name="{{{{n}}}}"\n\nx\n--cut--'
    )

    lines = filled(text, n=value).body.decode().split("\r\n")

    assert len(lines) == 6
    assert "%0A" in lines[1]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("hello", "Line 4 begins no part"),
        (f"--cut\n{NAMED}\nx", "body in line 4 has no end"),
        (f"--cut\n{NAMED}\nx\n--cut--\nmore", "Line 9 stands behind the last part"),
        ("--cut\nContent-Type: a/b\n\nx\n--cut--", "part in line 4 has no name"),
        ("--cut\nhello\n\nx\n--cut--", "Line 5 is not a header"),
        (f"--cut\n{NAMED}\n< ./{{{{x}}}}\n--cut--", "file in line 7 must be named"),
        (f"--cut\n{NAMED}\n< ./x\ny\n--cut--", "Line 8 stands behind the file"),
    ],
)
def test_what_is_no_multipart_body_is_refused_with_its_line(body, message):
    """Every refusal says what to do."""
    with pytest.raises(RequestSyntaxError, match=message) as refused:
        parse(HEAD + body)

    assert refused.value.hint


@pytest.mark.parametrize("boundary", ["", '""', '"a b"', "a" * 71, "a@b"])
def test_a_boundary_that_is_none_is_refused(boundary):
    """RFC 2046, section 5.1.1, without those that need quotes."""
    text = HEAD.replace("boundary=cut", f"boundary={boundary}") + "--cut\n\n--cut--"

    with pytest.raises(RequestSyntaxError, match="line 4"):
        parse(text)


@pytest.mark.parametrize("value", ["--cut", "a\r\n--cut--", "a\n--cut\nX: y\n\nb"])
def test_a_value_does_not_end_its_part(value):
    """Content that holds the boundary is refused, in a value and in a file."""
    with pytest.raises(RequestSyntaxError, match="part in line 4 holds the boundary"):
        filled(f"{HEAD}--cut\n{NAMED}\n{{{{v}}}}\n--cut--", v=value)
    with pytest.raises(RequestSyntaxError, match="part in line 7 holds the boundary"):
        filled(f"{HEAD}--cut\n{NAMED}\n< ./f\n--cut--", {"./f": value.encode()})


def test_a_missing_file_is_named_with_its_line():
    """Nothing has been sent by then."""

    def missing(name):
        raise FileNotFoundError(2, "No such file or directory", name)

    (template,) = parse(f"{HEAD}--cut\n{NAMED}\n< ./gone.png\n--cut--")
    with pytest.raises(RequestSyntaxError, match=r"'./gone.png' in line 7"):
        template.fill(
            {}.__getitem__,
            now=datetime(2026, 1, 1, tzinfo=UTC),
            guid=str,
            files=missing,
        )


def test_an_unknown_name_in_a_part_is_an_error_with_its_line():
    """Values of parts are looked up as everywhere."""
    with pytest.raises(UnknownName, match="in line 7"):
        filled(f"{HEAD}--cut\n{NAMED}\n{{{{typ}}}}\n--cut--", type="x")


def test_the_references_of_parts_are_known():
    """Variables of the cell reach headers and contents of parts."""
    text = (
        "@kind = PASSPORT\n@name = type\n"
        f"{HEAD}--cut\n"
        'Content-Disposition: form-data; name="{{name}}"\n\n{{kind}}\n--cut--'
    )

    ((part, content),) = parts_of(filled(text))

    assert part.get_param("name", header="content-disposition") == "type"
    assert content == b"PASSPORT"
