"""Files and folders: which are read, and how a file becomes texts.

This is where the room meets the world: it reads what it is pointed at, and gives each
run its key.
"""

from __future__ import annotations

import codecs
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from oauthmagic.errors import UnreadableFile
from oauthmagic.scan.findings import Finding, finding_of
from oauthmagic.scan.judges import Context
from oauthmagic.scan.known import KnownValues
from oauthmagic.scan.notebooks import parts_of, read_notebook
from oauthmagic.scan.parts import Damaged
from oauthmagic.scan.readings import text_of_bytes
from oauthmagic.scan.texts import Search, hits_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from oauthmagic.redaction import Secret


def _names(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


#: A larger file is refused, not skipped.
LARGEST = 256 << 20
#: Folders that hold copies, or what others made.
LEFT_OUT = _names(
    """
    .git .hg .svn .ipynb_checkpoints .venv venv node_modules site-packages __pycache__
    .tox .nox .eggs .mypy_cache .pytest_cache .ruff_cache .hypothesis
    .virtual_documents
    """
)
_NOTEBOOK = ".ipynb"
_CODE = _names(
    """
    .py .pyi .r .jl .js .mjs .cjs .ts .jsx .tsx .java .kt .go .rb .rs .cs .php .scala
    .swift .lua .c .h .cpp .hpp
    """
)
_TEXT = _names(
    """
    .md .rst .txt .http .rest .env .toml .json .jsonl .ndjson .yaml .yml .ini .cfg
    .conf .properties .csv .tsv .sh .bash .zsh .fish .ps1 .bat .cmd .rmd .qmd .html
    .htm .xml .svg .tex .log .sql .pem .key .tf .tfvars .har .jwk .jwks .curl .cnf
    .out .diff .patch
    """
)
_NAMES = _names(
    """
    .netrc _netrc .pgpass .npmrc .pypirc .curlrc .htpasswd .git-credentials .dockercfg
    dockerfile makefile credentials id_rsa id_ecdsa id_ed25519 authorized_keys
    """
)
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(kw_only=True, slots=True)
class Scan:
    """One run over files.

    Attributes:
        known: The values of secrets that must be nowhere.
        key: What fingerprints are made with; random, unless given.
        findings: What was found.
        allowed: How many finds were accepted by a comment or a tag.
        errors: What could not be read whole.
        files: How many files were read.
    """

    known: Iterable[Secret] = ()
    key: bytes = field(default=b"", repr=False)
    findings: list[Finding] = field(default_factory=list)
    allowed: int = 0
    errors: list[UnreadableFile] = field(default_factory=list)
    files: int = 0
    _search: Search = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._search = search_for(self.known, self.key)
        # From here on there are only hashes.
        self.known = ()

    def file(self, path: Path) -> None:
        """Read a file; an error is kept, and what can be read is read all the same."""
        try:
            octets = _octets(path)
            self.files += 1
            if path.suffix.lower() == _NOTEBOOK:
                self._notebook(path, octets)
            else:
                self._text(path, octets)
        except UnreadableFile as error:
            self.errors.append(error)

    def _notebook(self, path: Path, octets: bytes) -> None:
        try:
            try:
                text = octets.decode("utf-8-sig")
            except UnicodeDecodeError:
                raise Damaged("it is not UTF-8") from None
            found = notebook_findings(read_notebook(text), str(path), self._search)
        except Damaged as why:
            # Left by a merge, for example: the text is there, and may hold secrets.
            self._text(path, octets)
            raise _unreadable(path, str(why)) from None
        self._keep(found)

    def _text(self, path: Path, octets: bytes) -> None:
        suffix = path.suffix.lower()
        context = Context.CODE if suffix in _CODE else Context.TEXT
        hits = hits_in(_decoded(octets), context, self._search)
        self._keep((finding_of(hit, str(path)), hit.allowed) for hit in hits)

    def _keep(self, found: Iterable[tuple[Finding, bool]]) -> None:
        for finding, is_allowed in found:
            if is_allowed:
                self.allowed += 1
            else:
                self.findings.append(finding)


def search_for(known: Iterable[Secret], key: bytes = b"") -> Search:
    """Return what to look for; without a key, with a random one."""
    key = key or secrets.token_bytes(32)
    return Search(key=key, known=KnownValues(known, key))


def notebook_findings(
    notebook: dict[str, object], path: str, search: Search
) -> list[tuple[Finding, bool]]:
    """Return what is found in a notebook, and whether it is accepted there.

    One value is named once for each output and each widget, however many MIME types
    repeat it.

    Raises:
        Damaged: It has not the form of a notebook.
    """
    found: dict[tuple[object, ...], tuple[Finding, bool]] = {}
    for part in parts_of(notebook):
        for hit in part.hits(search):
            finding = finding_of(hit, path, part.cell, part.name)
            place = part.name.partition(" (")[0].partition(",")[0]
            line = hit.line if place == "source" else 0
            same = (part.cell, place, line, hit.fingerprint)
            found.setdefault(same, (finding, hit.allowed))
    return list(found.values())


def scan_file(path: str | Path, known: Iterable[Secret] = ()) -> list[Finding]:
    """Return the secrets in a notebook or another text file.

    Args:
        path: The file.
        known: Values that must not be in it; they are found in any spelling.

    Raises:
        UnreadableFile: It cannot be read whole.
    """
    scan = Scan(known=known)
    scan.file(Path(path))
    if scan.errors:
        raise scan.errors[0]
    return scan.findings


def scan_paths(paths: Iterable[str | Path], known: Iterable[Secret] = ()) -> Scan:
    """Read files and folders; return what was found, and what could not be read.

    Args:
        paths: Files are read whatever they are; of folders, notebooks and text files.
        known: Values that must not be in them; they are found in any spelling.
    """
    scan = Scan(known=known)
    for path in files_of(paths, scan.errors):
        scan.file(path)
    return scan


def files_of(
    paths: Iterable[str | Path], errors: list[UnreadableFile]
) -> Iterator[Path]:
    """Yield the files to read, each once, folders in the order of their names.

    Args:
        paths: Files and folders.
        errors: Where folders that cannot be read are noted.
    """
    seen: set[Path] = set()
    for path in map(Path, paths):
        for each in _walked(path, errors) if path.is_dir() else [path]:
            if each not in seen:
                seen.add(each)
                yield each


def _walked(folder: Path, errors: list[UnreadableFile]) -> Iterator[Path]:
    waiting = [folder]
    while waiting:
        current = waiting.pop()
        try:
            entries = sorted(current.iterdir())
            folders = []
            for entry in entries:
                # A link may lead in a circle, or out.
                if entry.is_dir() and not entry.is_symlink():
                    folders += [entry] * (entry.name not in LEFT_OUT)
                elif _is_text(entry) and entry.is_file():
                    yield entry
        except OSError as error:
            errors.append(_unreadable(current, _reason(error)))
            continue
        waiting += reversed(folders)


def _is_text(path: Path) -> bool:
    name, suffix = path.name.lower(), path.suffix.lower()
    return (
        suffix == _NOTEBOOK
        or suffix in _CODE
        or suffix in _TEXT
        or name in _NAMES
        or name.startswith(".env")
    )


def _octets(path: Path) -> bytes:
    try:
        info = path.stat()
        if not stat.S_ISREG(info.st_mode):
            kind = "a folder" if stat.S_ISDIR(info.st_mode) else "no regular file"
            raise _unreadable(path, f"it is {kind}")
        if info.st_size > LARGEST:
            raise _unreadable(path, f"it is larger than {LARGEST >> 20} MiB")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise _unreadable(path, _reason(error)) from None


def _decoded(octets: bytes) -> str:
    """Return bytes as text, whatever they are: nothing is passed over in silence."""
    for mark, encoding in _MARKS:
        if octets.startswith(mark):
            return octets.decode(encoding, "replace")
    if b"\0" in octets:
        return text_of_bytes(octets)
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    why = error.strerror if isinstance(error, OSError) else ""
    return (why or type(error).__name__).lower()


def _unreadable(path: Path, why: str) -> UnreadableFile:
    return UnreadableFile(f"{path} was not read whole: {why}.")
