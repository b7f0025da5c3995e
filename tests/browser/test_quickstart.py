"""The quickstart in JupyterLab, as a browser shows it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.needs("chromium")

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "00_quickstart.ipynb"


def test_the_quickstart_is_shown_as_meant(hub, desk):
    """Run All: token and rows are tables, nothing fails, both themes can be read."""
    book = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    for cell in book["cells"]:
        if cell["cell_type"] == "code":
            # What is seen is to come from this run.
            cell["outputs"], cell["execution_count"] = [], None
    (hub.folder / NOTEBOOK.name).write_text(json.dumps(book), encoding="utf-8")
    page = desk("lab", NOTEBOOK.name)
    page.page.set_viewport_size({"width": 1200, "height": 3600})

    page.run_all()
    page.picture("quickstart")
    assert page.errors() == []

    token = page.page.locator("table", has_text="Token revsto@demo")
    products = page.page.locator("table.dataframe", has_text="REVSTO_TESTING EUR")
    assert token.locator("caption").inner_text() == "Token revsto@demo"
    assert "valid for 5 min 0 s" in token.inner_text()
    assert products.first.locator("tbody tr").count() == 7
    assert page.page.locator(".jp-OutputArea img").count() == 1
    assert page.page.locator(".jp-OutputArea script").count() == 0

    cells = token.locator("th, td, caption")
    assert page.least_contrast(cells) >= 4.5
    page.use_theme("dark")
    page.picture("quickstart")
    assert page.least_contrast(cells) >= 4.5
