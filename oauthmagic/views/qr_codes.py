"""A URL as a QR code, for a telephone's camera; with the extra `qr` installed."""

from __future__ import annotations

from html import escape

#: The longest URL that becomes a code which a camera can still read.
MAX_URL = 500


def qr_image(url: str) -> str:
    """Return an image of a URL as HTML; "" where that cannot be had."""
    if not url or len(url) > MAX_URL:
        return ""
    try:
        import segno  # noqa: PLC0415 - an extra
    except ImportError:
        return ""
    # White behind it: in a dark theme, cameras read nothing else.
    data = segno.make(url, micro=False).svg_data_uri(scale=4, light="#fff")
    return (
        f'<div><img src="{escape(data)}" alt="QR code of {escape(url)}" '
        'style="margin:4px 0;max-width:100%"></div>'
    )
