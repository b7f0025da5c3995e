"""`oauthmagic scan`, called as a function, as a program and as a hook of git."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from books import code, notebook, stream

import oauthmagic
from oauthmagic.cli import main
from oauthmagic.scan import files

ROOT = Path(oauthmagic.__file__).parents[1]
TOKEN = "f4k3-T0k3n-0f-n0b0dy-9x8w7v6u5t"
PASSWORD = "Canary-pw-93"
LEAKING = json.dumps(notebook(code("x", stream(f"a\naccess_token: {TOKEN}\n"))))
CLEAN = json.dumps(notebook(code("x", stream("access_token: [secret]\n"))))
HOOK = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))[0]
PROGRAM = "import sys; from oauthmagic.cli import main; sys.exit(main())"


@pytest.fixture
def folder(tmp_path):
    """A folder with notebooks, text files, and what is left out."""
    for name, text in {
        "a.ipynb": LEAKING,
        "b.ipynb": CLEAN,
        "notes/c.md": f"password: {PASSWORD}\n",
        "notes/d.env": "CLIENT_SECRET=\n",
        "notes/.env.local": f"CLIENT_SECRET={TOKEN}\n",
        "notes/picture.png": f"password: {PASSWORD}",
        ".git/config": f"password: {PASSWORD}",
        ".ipynb_checkpoints/a-checkpoint.ipynb": LEAKING,
        ".venv/x.py": f"password = '{PASSWORD}'",
        "node_modules/x.js": f"password = '{PASSWORD}'",
    }.items():
        path = tmp_path / "work" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "work"


def test_a_find_is_one_line_and_says_what_to_do(folder, capsys):
    """Path, cell, part, line, kind, excerpt, fingerprint; never the value."""
    path = folder / "a.ipynb"

    assert main(["scan", str(path)]) == 1

    out = capsys.readouterr().out
    first, *rest = out.splitlines()
    expected = f"{path}:cell 1, output 1, line 2: token - access_token: [secret] ("
    assert first.startswith(expected)
    assert rest[0] == "1 find in 1 file; 1 file read."
    assert "What to do next:" in out
    assert "oauthmagic: allow" in out
    assert TOKEN not in out


def test_nothing_found_is_said_with_the_number_of_files(folder, capsys):
    """Exit code 0."""
    assert main(["scan", str(folder / "b.ipynb"), str(folder / "notes/d.env")]) == 0
    assert capsys.readouterr().out == "No secrets found; 2 files read.\n"


def test_a_folder_is_walked(folder, capsys):
    """Notebooks and text files; not what git, virtual environments, npm keep."""
    assert main(["scan", "--json", str(folder)]) == 1

    report = json.loads(capsys.readouterr().out)
    found = [Path(each["path"]).name for each in report["findings"]]
    assert found == ["a.ipynb", ".env.local", "c.md"]
    assert report["files"] == 5
    assert report["errors"] == []
    assert report["findings"][0]["cell"] == 1
    assert TOKEN not in str(report)
    assert PASSWORD not in str(report)


def test_a_file_that_is_named_is_read_whatever_it_is(folder):
    """Nothing is passed over in silence."""
    assert main(["scan", str(folder / "notes" / "picture.png")]) == 1


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "latin-1"])
def test_other_encodings_are_read(tmp_path, encoding):
    """With a byte order mark, or without."""
    path = tmp_path / "a.txt"
    path.write_bytes(f"é\npassword: {PASSWORD}\n".encode(encoding))

    (found,) = files.scan_file(path)

    assert found.line == 2


def test_what_cannot_be_read_is_an_error(folder, capsys):
    """Exit code 2, and what could be read is reported all the same."""
    (folder / "e.ipynb").write_text("{", encoding="utf-8")
    missing = folder / "missing.ipynb"

    assert main(["scan", str(missing), str(folder)]) == 2

    out, err = capsys.readouterr()
    assert f"{missing} was not read whole: there is no such file. " in err
    assert "e.ipynb was not read whole: it is not JSON. " in err
    assert "3 finds in 3 files" in out


@pytest.mark.skipif(os.name != "posix", reason="needs named pipes")
def test_a_pipe_is_not_waited_for(tmp_path, capsys):
    """Only regular files are opened."""
    os.mkfifo(tmp_path / "a.txt")

    assert main(["scan", str(tmp_path / "a.txt")]) == 2
    assert "no regular file" in capsys.readouterr().err
    assert main(["scan", str(tmp_path)]) == 0


def test_a_link_in_a_circle_ends(tmp_path):
    """Links to folders are not followed."""
    (tmp_path / "again").symlink_to(tmp_path)

    assert main(["scan", str(tmp_path)]) == 0


def test_a_file_that_is_too_large_is_an_error(tmp_path, capsys):
    """Not one that was passed over."""
    path = tmp_path / "a.txt"
    with path.open("wb") as file:
        file.truncate(files.LARGEST + 1)

    assert main(["scan", str(path)]) == 2
    assert "larger than 256 MiB" in capsys.readouterr().err


def test_secrets_of_the_environment_are_known(tmp_path, monkeypatch, capsys):
    """In any spelling, and without a label; a name or an id is no secret."""
    monkeypatch.setenv("OAUTHMAGIC_ACME_SANDBOX_CLIENT_SECRET", "canary-horse-battery")
    monkeypatch.setenv("OAUTHMAGIC_ACME_SANDBOX_CLIENT_ID", "my-client-id")
    monkeypatch.setenv("OAUTHMAGIC_STORE_PASSPHRASE", "canary of the store")
    path = tmp_path / "a.md"
    path.write_text(
        "my-client-id\nx canary%2Dhorse-battery\n\n'canary of the store'\n",
        encoding="utf-8",
    )

    assert main(["scan", "--json", str(path)]) == 1

    report = json.loads(capsys.readouterr().out)
    found = [(each["kind"], each["line"]) for each in report["findings"]]
    assert found == [("known-value", 2), ("known-value", 4)]
    assert "horse" not in str(report)


def test_a_path_is_needed(capsys):
    """As the command line's help says."""
    with pytest.raises(SystemExit) as ended:
        main(["scan"])

    assert ended.value.code == 2
    assert "PATH" in capsys.readouterr().err


class Terminal(io.StringIO):
    """Takes what is written, and says that it is a terminal."""

    def isatty(self):
        """Say so."""
        return True


def test_in_a_terminal_it_says_where_it_is(folder, monkeypatch):
    """On stderr, in one line that is gone in the end."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)

    main(["scan", str(folder)])

    assert "reading file 5: " in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")


@pytest.fixture
def repository(component, tmp_path):
    """A repository that runs the hook as pre-commit does: with what is staged."""
    folder = tmp_path / "repository"
    programs = tmp_path / "bin"
    programs.mkdir()
    entry = programs / "oauthmagic"
    entry.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{PROGRAM}" "$@"\n')
    entry.chmod(0o755)

    def git(*words):
        names = {
            f"GIT_{who}_{what}": "nobody@example.invalid"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        }
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            [component("git"), *words],
            cwd=folder,
            env={**os.environ, **names, "PATH": path, "GIT_CONFIG_GLOBAL": os.devnull},
            capture_output=True,
            text=True,
            check=False,
        )

    folder.mkdir()
    git("init", "--quiet")
    hook = folder / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        "#!/bin/sh\ngit diff --cached --name-only -z --diff-filter=ACMR "
        f"| xargs -0 {HOOK['entry']}\n"
    )
    hook.chmod(0o755)
    return folder, git


def test_the_hook_keeps_a_secret_out_of_git(repository):
    """The definition's entry, with a staged notebook; then without its secret."""
    folder, git = repository
    (folder / "a.ipynb").write_text(LEAKING, encoding="utf-8")
    git("add", "a.ipynb")

    refused = git("commit", "--message", "Add a notebook")

    assert refused.returncode != 0
    said = refused.stdout + refused.stderr
    assert "a.ipynb:cell 1, output 1, line 2: token" in said
    assert TOKEN not in said
    (folder / "a.ipynb").write_text(CLEAN, encoding="utf-8")
    git("add", "a.ipynb")
    accepted = git("commit", "--message", "Add a notebook")
    assert accepted.returncode == 0, accepted.stderr


def test_the_definition_of_the_hook():
    """What pre-commit reads: names, a program that is installed, types it knows."""
    assert HOOK["id"] == "oauthmagic-scan"
    assert HOOK["entry"].split()[0] == "oauthmagic"
    assert HOOK["language"] == "python"
    assert HOOK["types_or"] == ["jupyter", "text"]


@pytest.mark.soak
def test_pre_commit_runs_the_hook(repository):
    """By its own rules for types, with the definition as it is but for its install."""
    pytest.importorskip("pre_commit")
    folder, git = repository
    (folder / "a.ipynb").write_text(LEAKING, encoding="utf-8")
    (folder / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n\0")
    here = {**HOOK, "language": "system"}
    config = {"repos": [{"repo": "local", "hooks": [here]}]}
    (folder / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    git("add", ".")
    run = [sys.executable, "-m", "pre_commit"]
    entry = f"{folder.parent / 'bin'}{os.pathsep}{os.environ['PATH']}"

    valid = subprocess.run(
        [*run, "validate-manifest", str(ROOT / ".pre-commit-hooks.yaml")], check=False
    )
    done = subprocess.run(
        [*run, "run", "--all-files", "--color", "never"],
        cwd=folder,
        env={**os.environ, "PATH": entry},
        capture_output=True,
        text=True,
        check=False,
    )

    assert valid.returncode == 0
    assert done.returncode == 1, done.stdout + done.stderr
    assert "a.ipynb:cell 1, output 1, line 2: token" in done.stdout
    assert TOKEN not in done.stdout
