"""What `%load_ext oauthmagic` costs in a running IPython, beside `import httpx`."""

import importlib
import sys

from measuring import Table, ratio, shown, spread

OURS = "%load_ext oauthmagic"


def shell():
    """Return an IPython that has run a cell."""
    from IPython.core.interactiveshell import InteractiveShell

    running = InteractiveShell.instance()
    running.run_cell("1", silent=True)
    return running


def load(_):
    """Return the extension's loading; what it brings is counted."""
    running, before = shell(), set(sys.modules)

    def go():
        running.run_line_magic("load_ext", "oauthmagic")
        new = set(sys.modules) - before
        return {"modules": len([name for name in new if name.startswith("oauthmagic")])}

    return go


def importing(module):
    """Return the import of a module, in the same surroundings."""

    def ready(_):
        shell()
        return lambda: {"modules": 0 if importlib.import_module(module) else 1}

    return ready


def without_command_line(_):
    """Return the import of httpx where it does not find what its command line needs."""
    shell()
    sys.modules["click"] = None
    return lambda: {"modules": 0 if importlib.import_module("httpx") else 1}


MODULES = ("httpx", "httpx2", "pandas", "ipywidgets")
WAYS = {OURS: load} | {f"import {name}": importing(name) for name in MODULES}
WAYS |= {"import httpx, no click and rich there": without_command_line}


def measure(bench):
    """Return the table."""
    found = bench.ways("load_time", WAYS, {})
    rows = [
        (
            name,
            spread([1000 * each["cpu"] for each in measured], "{:.1f}"),
            shown(ratio(found, name, "import httpx"), "{:.3f}"),
            str(measured[0]["modules"] or "-"),
        )
        for name, measured in found.items()
    ]
    head = ("in a running IPython", "CPU ms", "/ import httpx", "modules of ours")
    return [Table("Loading", head, rows)]
