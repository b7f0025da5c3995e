"""An empty `%%api --dry-run` cell in a live kernel, above a `pass` cell."""

import statistics
import subprocess
import sys
import time

from measuring import CannotRun, Table, in_turn, spread

PASS = "pass"
CELLS = {
    PASS: "pass",
    "%%api --dry-run": "%%api revsto@demo --dry-run\nGET /distributor/v1/products",
    "%api --dry-run": "%api revsto@demo --dry-run GET /distributor/v1/products",
    "%token -q": "%token revsto@demo -q",
}
WAYS = {}


def measure(bench):
    """Return the table."""
    try:
        from jupyter_client.manager import KernelManager
    except ImportError:
        msg = "jupyter_client is not installed"
        raise CannotRun(msg) from None
    manager = KernelManager()
    manager.kernel_spec.argv[0] = sys.executable
    manager.start_kernel(stderr=subprocess.DEVNULL)
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)

        def run(text):
            began = time.perf_counter()
            said = client.execute_interactive(text, timeout=60, output_hook=lambda _: 0)
            if said["content"]["status"] != "ok":
                raise CannotRun(str(said["content"].get("evalue"))[:200])
            return {"wall": time.perf_counter() - began}

        run("%load_ext oauthmagic")
        for cell in CELLS.values():
            run(cell)
        rounds = 10 * bench.rounds
        found = in_turn(CELLS, rounds, lambda name: run(CELLS[name]), print)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    rows = []
    for name, measured in found.items():
        above = [a["wall"] - b["wall"] for a, b in zip(measured, found[PASS])]
        rows.append(
            (
                f"`{name}`",
                spread([1000 * each["wall"] for each in measured], "{:.2f}"),
                f"{1000 * statistics.median(above):.2f}",
            )
        )
    return [Table("A cell in a live kernel", ("cell", "ms", "ms above `pass`"), rows)]
