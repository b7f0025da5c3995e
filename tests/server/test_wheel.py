"""What the wheel installs: the extension is enabled without another step."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel, with the build backend itself."""
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    code = (
        "import sys; from hatchling.build import build_wheel;"
        "print(build_wheel(sys.argv[1]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return folder / done.stdout.splitlines()[-1]


def test_a_wheel_brings_the_extension_enabled(wheel, tmp_path):
    """In a fresh environment, Jupyter Server finds and accepts it."""
    home = tmp_path / "venv"
    venv.create(home, with_pip=False, symlinks=os.name == "posix")
    paths = sysconfig.get_paths(vars={"base": str(home), "platbase": str(home)})
    purelib, scripts = Path(paths["purelib"]), Path(paths["scripts"])
    # What it depends on is lent by this environment; the wheel is its own.
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            data = name.partition(".data/data/")[2]
            place = home / data if data else purelib / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(archive.read(name))
    lent = sysconfig.get_paths()["purelib"]
    (purelib / "lent.pth").write_text(f"{lent}\n", encoding="utf-8")

    environ = {**os.environ, "PYTHONPATH": "", "JUPYTER_PREFER_ENV_PATH": "1"}
    done = subprocess.run(
        [
            *(
                str(scripts / "python"),
                "-m",
                "jupyter_server.extension.serverextension",
            ),
            "list",
        ],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env=environ,
    )

    said = re.sub(r"\x1b\[\d*m", "", done.stdout + done.stderr)
    assert (home / "etc/jupyter/jupyter_server_config.d/oauthmagic.json").is_file()
    assert f"{home}/etc/jupyter\n    oauthmagic.server enabled" in said
    assert re.search(r"oauthmagic\.server +OK", said)
