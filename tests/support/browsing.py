"""A room with a Jupyter server and a browser, for tests that look at what users see.

    def test_a_form_is_shown(hub, desk):
        hub.write("form.ipynb", "%load_ext oauthmagic", "%token form revsto@demo")
        page = desk("lab", "form.ipynb")
        page.run_all()
        page.button("Get token").click()
        page.wait_for_text("asked for and granted")
        page.picture("form")

One server shows notebooks in three front ends: JupyterLab, Notebook 7 and Voila, under
a prefix as on a Hub or a Binder, with widget states saved. The Chromium is an
installed one. Pictures go into a directory of their own, which is printed at the end;
`OAUTHMAGIC_PICTURES` names another.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

from environs import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Where pictures go; read before `clean_environ` hides it from the tests.
PICTURES = Path(
    os.environ.get("OAUTHMAGIC_PICTURES")
    or Path(tempfile.gettempdir()) / "oauthmagic-pictures"
)
#: Seconds for anything; a browser on a busy machine is slow.
TIMEOUT = 60
#: What Chromium would do beside showing a page.
FLAGS = [
    *("--disable-gpu", "--disable-background-networking", "--disable-sync"),
    *("--disable-component-update", "--no-first-run"),
]
#: No question and no request at the start; every cell is there, seen or not.
SETTINGS: dict[str, dict[str, Any]] = {
    "@jupyterlab/apputils-extension/notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
    },
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
    # What is saved with a notebook is what has to be without secrets.
    "@jupyter-widgets/jupyterlab-manager/plugin": {"saveState": True},
}
FRONT_ENDS = {
    "lab": "lab/tree/{name}?reset",
    "notebook": "notebooks/{name}?",
    "voila": "voila/render/{name}?theme={theme}",
}
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
ERRORS = '[data-mime-type$="jupyter.stderr"], [data-mime-type$="jupyter.error"]'
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


class Hub:
    """A Jupyter server under a prefix, with a home of its own.

    Attributes:
        folder: Its notebooks.
        home: The home directory of the server and of its kernels.
        log: What it writes, everything that it is asked included.
        prefix: The path that it is under.
    """

    def __init__(self, place: Path, prefix: str = "/user/jo/") -> None:
        self.folder, self.home = place / "notebooks", place / "home"
        self.log, self.prefix = place / "server.log", prefix
        self.token = secrets.token_hex(16)
        self.origin = ""
        for folder in (self.folder, self.home):
            folder.mkdir(parents=True)
        settings = self.home / ".jupyter" / "lab" / "user-settings"
        for name, values in SETTINGS.items():
            path = (settings / name).with_suffix(".jupyterlab-settings")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(values), encoding="utf-8")

    @contextlib.contextmanager
    def running(self) -> Iterator[Hub]:
        """Run the server until the context ends."""
        port = _free_port()
        self.origin = f"http://127.0.0.1:{port}"
        command = [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
            *(f"--ServerApp.port={port}", "--ServerApp.port_retries=0"),
            f"--ServerApp.base_url={self.prefix}",
            *(f"--IdentityProvider.token={self.token}", "--ServerApp.ip=127.0.0.1"),
            f"--ServerApp.root_dir={self.folder}",
            "--ServerApp.log_level=DEBUG",
            "--LabApp.expose_app_in_browser=True",
            "--JupyterNotebookApp.expose_app_in_browser=True",
            "--VoilaConfiguration.show_tracebacks=True",
        ]
        with self.log.open("wb") as output:
            server = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=clean(os.environ, self.home),
            )
        try:
            self._wait_for(server)
            yield self
        finally:
            server.terminate()
            server.wait(TIMEOUT)

    def address(self, front_end: str, name: str, theme: str = "light") -> str:
        """Return where a front end shows a notebook."""
        path = FRONT_ENDS[front_end].format(name=name, theme=theme)
        return f"{self.origin}{self.prefix}{path}&token={self.token}"

    def write(self, name: str, *sources: str) -> Path:
        """Write a notebook of code cells; return its path."""
        cells = [
            {
                "cell_type": "code",
                "execution_count": None,
                "id": f"cell-{number}",
                "metadata": {},
                "outputs": [],
                "source": source,
            }
            for number, source in enumerate(sources)
        ]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        book = {
            "cells": cells,
            "metadata": {"kernelspec": kernel},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        self._end_kernels_of(name)
        path = self.folder / name
        path.write_text(json.dumps(book), encoding="utf-8")
        return path

    def _end_kernels_of(self, name: str) -> None:
        """End what an earlier test has left in the kernel of a notebook."""
        for session in json.loads(self._ask("GET", "api/sessions")):
            if session["path"] == name:
                self._ask("DELETE", f"api/sessions/{session['id']}")

    def _ask(self, method: str, path: str) -> bytes:
        asked = urllib.request.Request(  # noqa: S310 - our own
            f"{self.origin}{self.prefix}{path}",
            method=method,
            headers={"Authorization": f"token {self.token}"},
        )
        with urllib.request.urlopen(asked, timeout=TIMEOUT) as answer:  # noqa: S310
            content: bytes = answer.read()
        return content

    def _wait_for(self, server: subprocess.Popen[bytes]) -> None:
        url = f"{self.origin}{self.prefix}api/status?token={self.token}"
        end = time.monotonic() + TIMEOUT
        while time.monotonic() < end:
            if server.poll() is not None:
                break
            try:
                with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own
                    return
            except OSError:
                time.sleep(0.2)
        raise AssertionError(self.log.read_text(encoding="utf-8", errors="replace"))


class Desk:
    """A notebook in a front end, in a browser.

    Attributes:
        page: Playwright's page.
        dialogs: What scripts of the page said in dialogs; there should be none.
    """

    def __init__(self, browser: Any, hub: Hub, front_end: str, name: str) -> None:
        self._hub, self._front_end, self._name = hub, front_end, name
        self.theme = "light"
        self.page = browser.new_page(viewport={"width": 1200, "height": 1600})
        self.page.set_default_timeout(TIMEOUT * 1000)
        self.dialogs: list[str] = []
        self.page.on("dialog", self._said)
        self.page.goto(hub.address(front_end, name))
        if front_end == "voila":
            self.page.locator(".jp-OutputArea").first.wait_for()
        else:
            self.page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()

    def run_all(self) -> None:
        """Run every cell and wait for the last, or for the first that fails."""
        if self._front_end == "voila":
            return  # it has been run before it is shown
        self._wait_for_kernel()
        self.do("notebook:run-all-cells")
        self.page.wait_for_function(
            """errors => document.querySelector(errors) ||
              [...document.querySelectorAll(".jp-CodeCell .jp-InputPrompt")].every(
                each => /^\\[\\d+\\]:$/.test(each.textContent))""",
            arg=ERRORS,
        )

    def run(self, number: int) -> str:
        """Run a cell, wait for its end, and return its output as text."""
        self._wait_for_kernel()
        cell = self.page.locator(".jp-CodeCell").nth(number)
        cell.locator(".jp-InputArea-editor").click()
        self.page.evaluate("() => jupyterapp.commands.execute('notebook:run-cell')")
        return self.output(number)

    def output(self, number: int) -> str:
        """Return the output of a cell as text."""
        area = self.page.locator(".jp-CodeCell").nth(number).locator(".jp-OutputArea")
        return "\n".join(area.all_inner_texts())

    def errors(self) -> list[str]:
        """Return what cells wrote to stderr, and their errors."""
        found: list[str] = self.page.locator(ERRORS).all_inner_texts()
        return found

    def field(self, label: str) -> Any:
        """Return the control with a label."""
        return self.page.get_by_label(label, exact=True).locator("visible=true").last

    def button(self, label: str) -> Any:
        """Return the button with a label."""
        return self.page.get_by_role("button", name=label, exact=True).last

    def wait_for_text(self, text: str) -> None:
        """Wait until a text is on the page."""
        self.page.get_by_text(text).last.wait_for()

    def save(self) -> str:
        """Save the notebook and return its file's text."""
        if self._front_end != "voila":
            path = self._hub.folder / self._name
            before = path.stat().st_mtime_ns
            # Even where nothing changed: states of widgets are no change.
            self.page.evaluate(
                """async () => {
                  const widget = jupyterapp.shell.currentWidget;
                  widget.context.model.dirty = true;
                  await widget.context.save(); }"""
            )
            assert path.stat().st_mtime_ns != before
        return (self._hub.folder / self._name).read_text(encoding="utf-8")

    def restart(self) -> None:
        """Restart the kernel and wait for it."""
        self.page.evaluate(
            """async () => {
              const session = jupyterapp.shell.currentWidget.sessionContext;
              await session.session.kernel.restart(); }"""
        )
        self._wait_for_kernel()

    def do(self, command: str) -> None:
        """Execute a command of the front end."""
        self.page.evaluate("name => void jupyterapp.commands.execute(name)", command)

    def use_theme(self, theme: str) -> None:
        """Change to the theme "light" or "dark"."""
        self.theme = theme
        if self._front_end == "voila":
            self.page.goto(self._hub.address("voila", self._name, theme))
            self.page.locator(".jp-OutputArea").first.wait_for()
            return
        self.page.evaluate(
            """theme => jupyterapp.commands.execute(
              "apputils:change-theme", { theme })""",
            THEMES[theme],
        )
        is_light = str(theme == "light").lower()
        self.page.locator(f'body[data-jp-theme-light="{is_light}"]').wait_for(
            state="attached"
        )
        # It covers the page while the theme is loaded.
        self.page.locator("#jupyterlab-splash").wait_for(state="detached")

    def picture(self, name: str) -> Path:
        """Keep a picture of the page; its name says front end and theme, too."""
        path = pictures() / f"{name}-{self._front_end}-{self.theme}.png"
        self.page.screenshot(path=path)
        return path

    def last_words(self, name: str) -> str:
        """Keep a picture, and return the page's text and the end of the log."""
        try:
            path = self.picture(name)
            text = self.page.locator("body").inner_text(timeout=5000)
        except Exception as error:  # noqa: BLE001 - of a browser that is gone, too
            return f"The page cannot be read ({type(error).__name__})."
        log = self._hub.log.read_text(encoding="utf-8", errors="replace")
        return f"{path}\n{text[-4000:]}\n{log[-2000:]}"

    def least_contrast(self, elements: Any) -> float:
        """Return the worst contrast of text among elements."""
        return min(each.evaluate(CONTRAST) for each in elements.all())

    def traces(self) -> dict[str, str]:
        """Return everything that stays of what was done: place to text."""
        history = self.page.context.new_cdp_session(self.page).send(
            "Page.getNavigationHistory"
        )
        return {
            "notebook": self.save(),
            "page": self.page.content(),
            "address bar": self.page.url,
            "history": json.dumps(history),
            "log": self._hub.log.read_text(encoding="utf-8", errors="replace"),
            "storage": json.dumps(self.page.context.storage_state()),
        }

    def close(self) -> None:
        """Close the page."""
        self.page.close()

    def _wait_for_kernel(self) -> None:
        self.page.wait_for_function(
            """() => {
              const context = jupyterapp.shell.currentWidget?.sessionContext;
              return context?.session?.kernel?.status === "idle"; }"""
        )

    def _said(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()


@contextlib.contextmanager
def chromium(path: str) -> Iterator[Any]:
    """Run a browser until the context ends."""
    # Imported here: where there is no Chromium, it need not be there either.
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=[*FLAGS, *["--no-sandbox"] * is_root],
            chromium_sandbox=not is_root,
        )
        yield browser
        browser.close()


def pictures() -> Path:
    """Return the directory of the pictures, the same for every worker."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    return PICTURES


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
