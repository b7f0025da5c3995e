from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import IPython
import pytest

from oauthmagic.notebook.magics import OAuthMagic

#: Matchers like ours; Colab has IPython 7.34.
HAS_MATCHERS = IPython.version_info >= (8, 6)
HEAVY = {
    *("pandas", "httpx", "ipywidgets", "cryptography", "joserfc", "werkzeug"),
    *("dotenv", "numpy", "h11", "matplotlib"),
}
#: Loads the extension and reports what that did, line by line.
LOADS = textwrap.dedent("""
    import json, sys
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    shell.run_cell("1")  # what IPython imports itself at the first cell
    events, before = [], set(sys.modules)
    import importlib.util
    found = importlib.util.find_spec("oauthmagic").submodule_search_locations[0]

    def watch(event, arguments):
        text = str(arguments[0]) if arguments else ""
        if event.startswith(("socket.", "subprocess.", "os.system", "os.exec")):
            events.append([event, text])
        if event == "open" and not text.endswith((".py", ".pyc")):
            mode = str(arguments[1])
            if found in text or "w" in mode or "a" in mode:
                events.append([event, text])

    sys.addaudithook(watch)
    print("--- loading")
    shell.run_cell("%load_ext oauthmagic", silent=True)
    print("--- loaded", end="")
    new = sorted(set(sys.modules) - before)
    watched, events = events, []
    print(json.dumps([new, watched]))
""")

MAGICS = ("line", "token"), ("line", "api"), ("cell", "api")


def state(notebook):
    """Return copies of everything in a shell that an extension may change."""
    shell = notebook.shell
    # IPython registers its own magics for extensions when one is first used.
    notebook("%unload_ext nothing")
    formatters = shell.display_formatter.formatters
    return {
        "magics": {
            kind: dict(shell.magics_manager.magics[kind]) for kind in ("line", "cell")
        },
        "formatters": {
            name: (
                dict(each.type_printers),
                dict(each.deferred_printers),
                dict(each.singleton_printers),
            )
            for name, each in formatters.items()
        },
        "mimebundle": dict(
            shell.display_formatter.mimebundle_formatter.deferred_printers
        ),
        "configurables": list(shell.configurables),
        "matchers": list(shell.Completer.custom_matchers),
        "history": dict(vars(shell.history_manager)).get("store_inputs"),
        "events": {name: list(each) for name, each in shell.events.callbacks.items()},
        "transformers": list(shell.input_transformers_cleanup),
        "handlers": shell.custom_exceptions,
        "names": {name for name in shell.user_ns if not name.startswith("_")},
    }


@pytest.fixture(scope="module")
def loaded():
    """What a fresh interpreter reports of loading: output, modules, events."""
    done = subprocess.run(
        [sys.executable, "-c", LOADS], capture_output=True, text=True, check=True
    )
    output, _, report = done.stdout.partition("--- loading\n")[2].partition(
        "--- loaded"
    )
    return output, done.stderr, *json.loads(report)


def test_loading_imports_next_to_nothing(loaded):
    """`%load_ext` imports three modules of ours at most, and no library of ours."""
    _, _, modules, _ = loaded

    assert len([each for each in modules if each.startswith("oauthmagic")]) <= 3
    assert {each.partition(".")[0] for each in modules} & HEAVY == set()


def test_the_first_token_brings_no_table():
    """Neither pandas nor widgets nor the HTTP library, for a demo has no socket."""
    code = textwrap.dedent("""
        import sys
        from IPython.core.interactiveshell import InteractiveShell

        shell = InteractiveShell.instance()
        shell.run_cell("%load_ext oauthmagic")
        shell.run_cell("%token revsto@demo").raise_error()
        print("--- brought", *sys.modules)
    """)

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    brought = done.stdout.partition("--- brought")[2].split()
    assert "oauthmagic.session" in brought
    assert {"pandas", "numpy", "httpx", "ipywidgets"} & set(brought) == set()


def test_loading_touches_nothing(loaded):
    """`%load_ext` reads no file, opens no socket, starts no process, prints nothing."""
    output, errors, _, events = loaded

    assert events == []
    assert output == ""
    assert errors == ""


def test_loading_registers_the_magics(bare_shell):
    """`%token`, `%api` and `%%api` are there after loading, and not before."""
    before = [
        name in bare_shell.shell.magics_manager.magics[kind] for kind, name in MAGICS
    ]

    bare_shell("%load_ext oauthmagic")

    after = [
        name in bare_shell.shell.magics_manager.magics[kind] for kind, name in MAGICS
    ]
    assert before == [False] * 3
    assert after == [True] * 3


def test_unloading_is_the_inverse_of_loading(bare_shell):
    """What loading adds is gone after unloading, also when everything was used."""
    # A first table makes IPython and pandas register what they like.
    bare_shell("import pandas\npandas.DataFrame()")
    before = state(bare_shell)

    bare_shell("%load_ext oauthmagic")
    bare_shell("%token revsto@demo")
    during = state(bare_shell)
    bare_shell("%unload_ext oauthmagic")

    assert during["magics"] != before["magics"]
    assert during["formatters"] != before["formatters"]
    assert during["configurables"] != before["configurables"]
    assert (during["matchers"] != before["matchers"]) is HAS_MATCHERS
    assert during["history"] != before["history"]
    assert state(bare_shell) == before


def test_loading_twice_is_loading_once(shell):
    """A second `%load_ext` changes nothing and says what IPython says."""
    before = state(shell)

    ran = shell("%load_ext oauthmagic")

    assert ran.error is None
    assert state(shell) == before


def test_reloading_leaves_one_of_everything(shell):
    """`%reload_ext`, twice, leaves one entry of each kind, and the tokens held."""
    shell("%token revsto@demo")

    shell("%reload_ext oauthmagic")
    shell("%reload_ext oauthmagic")

    named = [type(each).__name__ for each in shell.shell.configurables]
    assert named.count("OAuthMagic") == 1
    ours = [
        each
        for each in shell.shell.Completer.custom_matchers
        if hasattr(each, "of_oauthmagic")
    ]
    assert len(ours) == HAS_MATCHERS
    assert len(shell("%token").value) == 1


def test_unloading_what_is_not_loaded_does_nothing(bare_shell):
    """`unload_ipython_extension` can be called at any time."""
    import oauthmagic  # noqa: PLC0415 - not before the shell

    before = state(bare_shell)

    oauthmagic.unload_ipython_extension(bare_shell.shell)

    assert state(bare_shell) == before


def test_a_name_that_is_taken_is_left_alone(bare_shell):
    """Another extension's `%token` stays; ours says under which name it is."""
    bare_shell.shell.register_magic_function(lambda _: "theirs", "line", "token")

    ran = bare_shell("%load_ext oauthmagic")

    assert ran.stdout == "%token exists already; oauthmagic's is %oauth_token.\n"
    assert bare_shell("%token").value == "theirs"
    assert bare_shell("%oauth_token revsto@demo").value.target == "revsto@demo"
    assert bare_shell("%api revsto@demo GET /distributor/v1/products").error is None


def test_a_name_that_is_taken_is_theirs_after_unloading(bare_shell):
    """Unloading takes our aliases away and nothing of the other extension."""
    bare_shell.shell.register_magic_function(lambda *_: "theirs", "cell", "api")
    before = state(bare_shell)

    bare_shell("%load_ext oauthmagic")
    bare_shell("%unload_ext oauthmagic")

    assert state(bare_shell) == before
    assert bare_shell("%%api\nx").value == "theirs"


def test_the_settings_can_be_seen_and_changed(shell, caplog):
    """`%config OAuthMagic` lists every setting and refuses a wrong value."""
    listed = shell("%config OAuthMagic")
    shell("%config OAuthMagic.environment = 'prod'")
    shell("%config OAuthMagic.environment = 'demo'")

    traits = OAuthMagic.class_traits(config=True)
    assert traits
    assert {name for name, each in traits.items() if not each.help} == set()
    for name, each in traits.items():
        assert f"OAuthMagic.{name}" in listed.stdout
        assert each.help.split(":")[0][:40] in " ".join(listed.stdout.split())
    assert (
        "['demo', 'sandbox', 'production'] or None, not the str 'prod'" in caplog.text
    )
    assert shell("%token revsto").value.target == "revsto@demo"


def test_a_store_that_cannot_be_used_is_said_until_it_is_changed(shell):
    """Nobody goes on in memory who chose a file."""
    shell('%config OAuthMagic.store = "file"')
    for _ in range(2):
        said = shell("%token revsto@demo")
        assert "OAUTHMAGIC_STORE_PASSPHRASE" in said.stdout + said.stderr

    shell('%config OAuthMagic.store = "memory"')
    assert "revsto@demo" in shell("%token revsto@demo").stdout
