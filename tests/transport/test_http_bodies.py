"""Bodies and headers that are large, endless or not what they say."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib

import pytest

from oauthmagic.errors import ConnectionLost, DeadlineExceeded, ResponseRefused

MIB = 1 << 20
TOKEN_LIMIT = MIB
API_LIMIT = 32 * MIB
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
GZIP = b"Content-Encoding: gzip\r\n"


def chunk(content):
    """Return one chunk of a chunked body."""
    return b"%x\r\n%s\r\n" % (len(content), content)


def bomb(_):
    """Give 1 GiB of zeros as 1 MiB of gzip, 64 MiB at a time."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, 31)
    first = deflate.compress(bytes(MIB)) + deflate.flush(zlib.Z_FULL_FLUSH)
    block = deflate.compress(bytes(MIB)) + deflate.flush(zlib.Z_FULL_FLUSH)
    yield CHUNKED + GZIP + b"\r\n" + chunk(first)
    for _ in range(16):
        yield chunk(block * 64)
    yield b"0\r\n\r\n"


def endless(content, headers=b""):
    """Return an answer whose body never ends."""

    def body(server):
        yield CHUNKED + headers + b"\r\n"
        while not server.stopped.is_set():
            yield chunk(content)

    return body


@pytest.fixture
def peak():
    """Measure the most memory that Python has held since."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "GZIP", " gzip "])
def test_gzip_is_decoded(serve, answer, send, coding):
    """RFC 9110, section 8.4.1.3: names in any case, x-gzip is the same."""
    content = b'{"a": "\xc3\xa9"}' * 1000
    server = serve(answer(gzip.compress(content), f"Content-Encoding: {coding}"))

    assert send(server.url).body == content


def test_gzip_may_have_several_members(serve, answer, send):
    """RFC 1952, section 2.2: they follow each other and make one body."""
    content = gzip.compress(b"one, ") + gzip.compress(b"two")
    server = serve(answer(content, "Content-Encoding: gzip"))

    assert send(server.url).body == b"one, two"


def test_gzip_byte_by_byte_is_decoded(serve, send):
    """Where a chunk ends means nothing."""
    compressed = gzip.compress(b"drops")
    chunks = b"".join(chunk(bytes([byte])) for byte in compressed)
    server = serve(CHUNKED + GZIP + b"\r\n" + chunks + b"0\r\n\r\n")

    assert send(server.url).body == b"drops"


@pytest.mark.parametrize(
    ("method", "status"),
    [("HEAD", "200 OK"), ("GET", "204 No Content"), ("GET", "304")],
)
def test_an_answer_without_a_body_may_name_a_coding(serve, send, method, status):
    """RFC 9110, section 9.3.2: what is said of the body that is not there."""
    server = serve(f"HTTP/1.1 {status}\r\nContent-Encoding: gzip\r\n\r\n".encode())

    assert send(server.url, method=method).body == b""


@pytest.mark.parametrize(
    "lines",
    [
        ["br"],
        ["zstd"],
        ["deflate"],
        ["compress"],
        ["gzip, gzip"],
        ["gzip,gzip,gzip"],
        ["gzip", "gzip"],
        ["identity", "gzip"],
        ["gzip, br"],
        ["gzipped"],
        ["plainly-fake-token"],
    ],
    ids=" + ".join,
)
def test_a_coding_that_was_not_asked_for_is_refused(serve, answer, send, shown, lines):
    """One gzip and no more, on one line or on several."""
    headers = [f"Content-Encoding: {line}" for line in lines]
    server = serve(answer(gzip.compress(gzip.compress(b"{}")), *headers))

    with pytest.raises(ResponseRefused, match="was not asked for") as refused:
        send(server.url)

    assert refused.value.sent == "yes"
    assert "plainly-fake-token" not in shown(refused.value)


@pytest.mark.parametrize(
    ("compressed", "error"),
    [
        (gzip.compress(b"{}")[:-1], ConnectionLost),
        (gzip.compress(b"{}" * 99)[:15], ConnectionLost),
        (gzip.compress(b"{}")[:5], ConnectionLost),
        (b"{}", ResponseRefused),
        (gzip.compress(b"{}")[:-6] + b"\0\0\0\0\0\0", ResponseRefused),
        (gzip.compress(b"{}") + b"more", ResponseRefused),
        (zlib.compress(b"{}"), ResponseRefused),
    ],
    ids=["trailer", "data", "header", "plain", "checksum", "tail", "zlib"],
)
def test_damaged_gzip_is_no_answer(serve, answer, send, compressed, error):
    """Half of the data, and what is no gzip at all."""
    server = serve(answer(compressed, "Content-Encoding: gzip"))

    with pytest.raises(error) as raised:
        send(server.url)

    assert raised.value.sent == "yes"


def test_a_gzip_bomb_is_refused_in_bounded_memory(serve, send, peak):
    """1 GiB of zeros: refused at the limit, and never held."""
    server = serve(bomb)

    with pytest.raises(ResponseRefused, match="larger than 1 MiB"):
        send(server.url, limit=TOKEN_LIMIT)

    assert peak() < 8 * MIB


def test_the_limit_counts_decoded_bytes(serve, answer, send):
    """As many as the limit are accepted, one more is not."""
    server = serve(answer(gzip.compress(bytes(2048)), "Content-Encoding: gzip"))

    assert len(send(server.url, limit=2048).body) == 2048
    with pytest.raises(ResponseRefused, match="larger than 1 KiB"):
        send(server.url, limit=2047)


@pytest.mark.parametrize("headers", [b"", GZIP], ids=["plain", "gzip"])
def test_an_endless_body_is_refused_in_bounded_memory(serve, send, peak, headers):
    """It ends at the limit, not at the deadline."""
    content = gzip.compress(bytes(65536)) if headers else bytes(65536)
    server = serve(endless(content, headers))

    with pytest.raises(ResponseRefused, match="larger than 1 MiB"):
        send(server.url, limit=TOKEN_LIMIT)

    assert peak() < 8 * MIB


def test_an_endless_body_of_nothing_ends_at_the_deadline(serve, send, peak):
    """Empty members of gzip decode to no byte that could be counted."""
    server = serve(endless(gzip.compress(b"") * 1000, GZIP))

    with pytest.raises(DeadlineExceeded):
        send(server.url, timeout=0.5)

    assert peak() < 8 * MIB


def test_five_mebibytes_are_too_much_for_a_token_and_not_for_an_api(
    serve, answer, send
):
    """The limit is the caller's."""
    server = serve(answer(bytes(5 * MIB)))

    assert len(send(server.url, limit=API_LIMIT).body) == 5 * MIB
    with pytest.raises(ResponseRefused):
        send(server.url, limit=TOKEN_LIMIT)


@pytest.mark.parametrize(
    "lines",
    [
        ["X-A: b"] * 201,
        ["X-A: " + "b" * 65536],
        ["X-A: " + "b" * 1024] * 64,
        ["X-A: " + "b" * 200_000],
        ["X-" + "a" * 66_000 + ": b"],
    ],
    ids=["many", "one", "several", "far too large", "name"],
)
def test_headers_are_bounded(serve, answer, send, lines):
    """200 lines and 64 KiB."""
    server = serve(answer(b"{}", *lines))

    with pytest.raises(ResponseRefused, match="headers are too large") as refused:
        send(server.url)

    assert refused.value.sent == "yes"


def test_many_headers_are_accepted(serve, answer, send):
    """As many as the bound, with the one for the length."""
    server = serve(answer(b"{}", *["X-A: b"] * 199))

    assert len(send(server.url).headers) == 200


def test_after_a_refused_answer_the_next_is_good(serve, answer, send):
    """What was left unread is not taken for it."""
    server = serve(answer(bytes(2 * MIB)), answer(b"good"))

    with pytest.raises(ResponseRefused):
        send(server.url)

    assert send(server.url).body == b"good"
