"""The quickstart in JupyterLab, as a browser shows it."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

pytestmark = pytest.mark.needs("chromium")

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "00_quickstart.ipynb"
TIMEOUT = 60
#: What Chromium would do beside showing a page.
FLAGS = [
    *("--disable-gpu", "--disable-background-networking", "--disable-sync"),
    *("--disable-component-update", "--no-first-run"),
]
#: No question and no request at the start; every cell is there, seen or not.
SETTINGS = {
    "apputils-extension/notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
    },
    "notebook-extension/tracker": {"windowingMode": "none"},
}
ERRORS = '[data-mime-type$="jupyter.stderr"], [data-mime-type$="jupyter.error"]'
TO_DARK = """
() => jupyterapp.commands.execute(
  "apputils:change-theme", { theme: "JupyterLab Dark" })
"""
#: The contrast of an element's text with what is behind it (WCAG 2, 1.4.3).
CONTRAST = """
element => {
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const over = (front, alpha, back) =>
    front.map((c, i) => c * alpha + back[i] * (1 - alpha));
  const chain = [];
  for (let each = element; each; each = each.parentElement) chain.unshift(each);
  let back = [255, 255, 255], opacity = 1;
  for (const each of chain) {
    const style = getComputedStyle(each);
    const [r, g, b, a = 1] = parse(style.backgroundColor);
    back = over([r, g, b], a, back);
    opacity *= Number(style.opacity);
  }
  const [r, g, b, a = 1] = parse(getComputedStyle(element).color);
  const light = colour => {
    const [x, y, z] = colour.map(c => c / 255).map(
      c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const [low, high] = [light(over([r, g, b], a * opacity, back)), light(back)].sort(
    (p, q) => p - q);
  return (high + 0.05) / (low + 0.05);
}
"""


def free_port():
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def lab(clean_environ, tmp_path):
    """The URL of a JupyterLab on a copy of the quickstart, with its token."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    book = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    for cell in book["cells"]:
        if cell["cell_type"] == "code":
            # What is seen is to come from this run.
            cell["outputs"], cell["execution_count"] = [], None
    (folder / NOTEBOOK.name).write_text(json.dumps(book), encoding="utf-8")
    settings = clean_environ / ".jupyter" / "lab" / "user-settings" / "@jupyterlab"
    for name, values in SETTINGS.items():
        path = (settings / name).with_suffix(".jupyterlab-settings")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values), encoding="utf-8")
    token, port = secrets.token_hex(16), free_port()
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
        *(f"--ServerApp.port={port}", "--ServerApp.port_retries=0"),
        *(f"--IdentityProvider.token={token}", "--ServerApp.ip=127.0.0.1"),
        *(f"--ServerApp.root_dir={folder}", "--LabApp.expose_app_in_browser=True"),
    ]
    log = tmp_path / "lab.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{url}/api/status?token={token}", server, log)
        yield f"{url}/lab/tree/{NOTEBOOK.name}?token={token}"
    finally:
        server.terminate()
        server.wait(TIMEOUT)


def wait_for(url, server, log):
    """Wait until a server answers."""
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end:
        assert server.poll() is None, log.read_text(encoding="utf-8")
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(log.read_text(encoding="utf-8"))


@pytest.fixture
def page(lab, component):
    """The notebook in Chromium."""
    # Imported here: where there is no Chromium, it need not be there either.
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=component("chromium"),
            args=[*FLAGS, *["--no-sandbox"] * is_root],
            chromium_sandbox=not is_root,
        )
        page = browser.new_page(viewport={"width": 1200, "height": 3600})
        page.set_default_timeout(TIMEOUT * 1000)
        page.goto(lab)
        page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
        yield page
        browser.close()


def run_all(page):
    """Run every cell and wait for the last, or for the first that fails."""
    page.get_by_text("Python 3", exact=False).first.wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.wait_for_function(
        """errors => document.querySelector(errors) ||
          [...document.querySelectorAll(".jp-CodeCell .jp-InputPrompt")].every(
            each => /^\\[\\d+\\]:$/.test(each.textContent))""",
        arg=ERRORS,
    )


def test_the_quickstart_is_shown_as_meant(page, tmp_path):
    """Run All: token and rows are tables, nothing fails, both themes can be read."""
    run_all(page)
    page.screenshot(path=tmp_path / "light.png")
    assert page.locator(ERRORS).all_inner_texts() == []

    token = page.locator("table", has_text="Token revsto@demo")
    products = page.locator("table.dataframe", has_text="REVSTO_TESTING EUR")
    assert token.locator("caption").inner_text() == "Token revsto@demo"
    assert "valid for 5 min 0 s" in token.inner_text()
    assert products.first.locator("tbody tr").count() == 7
    assert page.locator(".jp-OutputArea img").count() == 1
    assert page.locator(".jp-OutputArea script").count() == 0

    cells = token.locator("th, td, caption").all()
    assert min(cell.evaluate(CONTRAST) for cell in cells) >= 4.5
    page.evaluate(TO_DARK)
    page.locator('body[data-jp-theme-light="false"]').wait_for(state="attached")
    # It covers the page while the theme is loaded.
    page.locator("#jupyterlab-splash").wait_for(state="detached")
    page.screenshot(path=tmp_path / "dark.png")
    assert min(cell.evaluate(CONTRAST) for cell in cells) >= 4.5
