"""What users see, in both themes: the pictures of the README are made here.

`make pictures` keeps them; here they have to be readable, and small.
"""

from __future__ import annotations

import pytest
from browsing import pictures
from PIL import Image

pytestmark = pytest.mark.needs("chromium")

#: A README is read over slow lines, too.
LARGEST = 60_000
COLOURS = 64
LATER = """
%token stet/17515@demo --answer accept -q
%token revsto@demo -q
%token demo revsto@demo --advance 275 -q
%api revsto@demo -q GET /distributor/v1/products
%token demo revsto@demo --advance 400 -q
%api revsto@demo -q GET /distributor/v1/products
%token demo revsto@demo --advance 60 -q
"""
CELLS = (
    "%load_ext oauthmagic\n%token add real.toml",
    "%token form revsto@demo",
    LATER,
    "%token show revsto@demo",
    "%token timeline",
    "%token trace stet/17515@demo",
    "%api revsto@demo GET /distributor/v1/products",
    # A token of the real time: its bar moves.
    "real = {'access_token': 'plainly-fake-access', 'expires_in': 20}",
    "%token adopt real --from real",
    # It ends in an error, so it is the last.
    "%token stet/17515@demo --fresh",
)
#: The cells that the pictures are of.
SHOWN = {"form": 1, "token": 3, "timeline": 4, "trace": 5, "reply": 6, "card": 9}
REAL = """
[provider]
name = "real"
title = "Real"
grants = ["client_credentials"]

[environments.sandbox]
token_endpoint = "https://id.real.example/token"
api_base = "https://api.real.example"
"""
FILL = "() => document.querySelector('.oauthmagic-life').getBoundingClientRect().width"
OUTPUT = ".jp-OutputArea-output"
#: Texts in outputs, buttons left out: their colours are the theme's.
TEXTS = (
    "th, td, caption, summary, summary span, pre, svg text, details div, "
    ".widget-html-content div:not(:empty), "
    ".jp-RenderedHTMLCommon div:not(:has(div, table, svg, details), :empty)"
)


def output_of(desk, cell):
    """Return what a cell shows; of an error below it the colours are the theme's."""
    output = desk.page.locator(".jp-CodeCell").nth(cell).locator(OUTPUT)
    widgets = output.locator(".jupyter-widgets")
    return (widgets if widgets.count() else output).first


def keep(desk, name, cell):
    """Keep a picture of the output of a cell; return its path."""
    dark = "-dark" if desk.theme == "dark" else ""
    path = pictures() / f"{name}{dark}.png"
    output_of(desk, cell).screenshot(path=path)
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(COLOURS).save(path, optimize=True)
    return path


def test_what_is_shown_can_be_read_and_moves(hub, desk):
    """Form, card, token, timeline, trace, reply: contrast, size; the bar runs down."""
    (hub.folder / "real.toml").write_text(REAL)
    hub.write("pictures.ipynb", *CELLS)
    desk = desk("lab", "pictures.ipynb")
    desk.page.set_viewport_size({"width": 900, "height": 4000})
    desk.do("application:toggle-left-area")
    desk.run_all()
    desk.button("accept").wait_for()
    before = desk.page.evaluate(FILL)
    desk.button("Get token").click()
    desk.wait_for_text("asked for and granted")

    contrasts, paths = {}, []
    for theme in ("light", "dark"):
        desk.use_theme(theme)
        desk.picture("views")
        for name, cell in SHOWN.items():
            texts = output_of(desk, cell).locator(TEXTS)
            contrasts[name, theme] = desk.least_contrast(texts.locator("visible=true"))
            paths.append(keep(desk, name, cell))

    step = output_of(desk, SHOWN["trace"]).locator("details", has_text="token request")
    step.locator("summary").click()
    desk.picture("trace-opened")

    assert "grant_type = authorization_code" in step.locator("pre").inner_text()
    assert min(contrasts.values()) >= 4.5, contrasts
    sizes = {path.name: path.stat().st_size for path in paths}
    assert max(sizes.values()) < LARGEST, sizes
    assert desk.dialogs == []
    # By now, seconds later, without anything from the kernel.
    assert 0 <= desk.page.evaluate(FILL) < before
