from __future__ import annotations

import ast
import importlib
import json
import pkgutil
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import oauthmagic

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "oauthmagic"
MODULES = sorted(PACKAGE.rglob("*.py"))
NOTEBOOKS = sorted((ROOT / "notebooks").rglob("*.ipynb"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

PUBLIC = {
    "OAuthMagicError",
    "Secret",
    "Session",
    "Token",
    "UserActionRequired",
    "__version__",
    "current_session",
}
PURE = ("errors", "http_request", "oauth", "redaction", "scan")
THIRD_PARTIES = (
    "IPython cryptography dotenv httpx ipywidgets joserfc pandas traitlets werkzeug"
)
MOST_LINES = 300
MOST_DEPENDENCIES = 9
BANNED_NAMES = {"common", "helpers", "manager", "misc", "utils"}
# A signed or encrypted JWT, and what league/oauth2-server's refresh tokens open with.
TOKEN = re.compile(r"eyJ[\w-]{8,}\.[\w-]{8,}|def50200[0-9a-f]{8,}")
# In pieces, so that this file does not hold what it looks for.
REGISTRIES = (
    "pypi" + ".org",
    "pypi" + "hosted",
    "python" + "hosted.org",
    "npm" + "js.org",
    "npm" + "js.com",
    "yarn" + "pkg.com",
    "debian" + ".org",
    "conda" + ".anaconda.org",
)
PATHS = re.compile(
    r"(?<![\w.}/-])/(?:"
    + "|".join(["wo" + "rk", "ro" + "ot", "ho" + r"me/\w+", "Us" + r"ers/\w+"])
    + ")/"
)


def read(path: Path) -> str:
    """Return the text of a file, whatever bytes are in it."""
    return path.read_text(encoding="utf-8", errors="replace")


def name_of(requirement: str) -> str:
    """Return the name at the start of a requirement, as registries compare it."""
    found = re.match(r"[\w.-]+", requirement)
    assert found is not None
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def imports(tree: ast.Module) -> set[str]:
    """Return the top-level names that a module imports."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    return names


def pure_modules() -> list[Path]:
    """Return the modules that need nothing installed."""
    return [
        path
        for path in MODULES
        if path.relative_to(PACKAGE).parts[0].removesuffix(".py") in PURE
    ]


@pytest.fixture
def kept_files(component):
    """Return what git keeps, or would keep, in this checkout."""
    done = subprocess.run(
        [
            *(component("git"), "-C", str(ROOT), "ls-files", "-z"),
            *("--cached", "--others", "--exclude-standard"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("not a git checkout")
    paths = [ROOT / name for name in done.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]


def test_imports_keep_the_contracts():
    """A module imports only from layers below; a library has one package to itself."""
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("lint-imports")),
            "--no-cache",
            "--no-logo",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "path",
    sorted([*(PACKAGE / "batch").glob("*.py"), *(PACKAGE / "session").glob("*.py")]),
)
def test_session_names_libraries_in_annotations_only(path):
    """What `session` returns may be pandas' or httpx's; it imports neither to run."""
    tree = ast.parse(read(path))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    assert imports(tree) & {"httpx", "pandas"} == set()


@pytest.mark.parametrize(
    "path", pure_modules(), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_pure_layers_import_the_standard_library_only(path):
    """These layers need nothing installed."""
    assert (
        imports(ast.parse(read(path))) - sys.stdlib_module_names - {"oauthmagic"}
        == set()
    )


@pytest.mark.parametrize(
    "path", pure_modules(), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_pure_layers_are_given_the_time(path):
    """A clock is an argument; the pure layers look at none."""
    called = {
        node.func.attr
        for node in ast.walk(ast.parse(read(path)))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert called & {"now", "today", "utcnow", "monotonic"} == set()


def test_public_names():
    """What the package exports is written down once more, so that it is no accident."""
    assert set(oauthmagic.__all__) == PUBLIC
    assert set(dir(oauthmagic)) >= PUBLIC
    assert all(getattr(oauthmagic, name) is not None for name in PUBLIC)


def test_importing_the_package_is_cheap():
    """`import oauthmagic` imports no third party; each waits for its first use."""
    code = "import oauthmagic, sys; print(*sys.modules)"
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-c",
            f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(done.stdout.split()) & set(THIRD_PARTIES.split()) == set()


def test_every_module_can_be_imported():
    """No module depends on another having been imported first."""
    names = [
        info.name
        for info in pkgutil.walk_packages([str(PACKAGE)], "oauthmagic.")
        if not info.name.endswith("__main__")
    ]
    assert names
    for name in names:
        importlib.import_module(name)


def test_declared_objects_exist():
    """Every script and entry point of pyproject.toml leads somewhere."""
    project = PROJECT["project"]
    declared = dict(project["scripts"])
    for group in project["entry-points"].values():
        declared |= group
    for reference in declared.values():
        assert pkgutil.resolve_name(reference) is not None


def test_long_modules_are_explained():
    """A module over 300 lines has a sentence in ARCHITECTURE.md."""
    architecture = read(ROOT / "ARCHITECTURE.md")
    long = {
        path.relative_to(PACKAGE).as_posix()
        for path in MODULES
        if len(read(path).splitlines()) > MOST_LINES
    }
    assert {path for path in long if f"{path}`" not in architecture} == set()


def test_names_say_what_is_inside(kept_files):
    """No file has a name that anything would fit under."""
    assert [path for path in kept_files if path.stem.lower() in BANNED_NAMES] == []


def test_mandatory_dependencies_are_few_and_explained():
    """At most nine, each with its line in ARCHITECTURE.md."""
    names = [name_of(text) for text in PROJECT["project"]["dependencies"]]
    lines = [
        line
        for line in read(ROOT / "ARCHITECTURE.md").splitlines()
        if line.lstrip().startswith(("|", "-", "*"))
    ]
    assert len(names) <= MOST_DEPENDENCIES
    unexplained = [name for name in names if not any(f"`{name}`" in x for x in lines)]
    assert unexplained == []


def test_the_lock_is_complete():
    """Every dependency is locked, every locked version has hashes, none has a URL."""
    blocks = [
        block
        for path in ("requirements/dev.txt", "requirements/uv.txt")
        for block in re.split(r"^(?=\w)", read(ROOT / path), flags=re.MULTILINE)
        if block.strip()
    ]
    groups = dict(PROJECT["dependency-groups"])
    # What we are compared with is as new as it can be had, in another environment.
    del groups["bench"]
    wanted = [
        *PROJECT["project"]["dependencies"],
        *PROJECT["project"]["optional-dependencies"]["lab"],
        *(text for group in groups.values() for text in group if isinstance(text, str)),
    ]

    assert {name_of(text) for text in wanted} <= {name_of(block) for block in blocks}
    assert [block for block in blocks if not re.match(r"[\w.-]+==", block)] == []
    assert [block for block in blocks if "--hash=sha256:" not in block] == []
    assert [block for block in blocks if "://" in block] == []


def test_no_notebook_holds_a_token():
    """No cell, output or widget state of a notebook holds what looks like a token."""
    found = {
        path.name: TOKEN.findall(json.dumps(json.loads(read(path))))
        for path in NOTEBOOKS
    }
    assert {name: tokens for name, tokens in found.items() if tokens} == {}


def test_no_file_names_a_registry_or_a_machine(kept_files):
    """What is kept is the same everywhere: no registry's host, nobody's directories."""
    found = []
    for path in kept_files:
        text = read(path)
        hosts = [host for host in REGISTRIES if host in text]
        paths = PATHS.findall(text)
        if hosts or paths:
            found.append((path.relative_to(ROOT).as_posix(), hosts, paths))
    assert found == []
