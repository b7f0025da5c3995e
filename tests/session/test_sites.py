"""Provider files of a whole site: `OAUTHMAGIC_PROVIDERS`."""

from __future__ import annotations

import os

import pytest

from oauthmagic import Session
from oauthmagic.errors import (
    CommandError,
    EnvironmentRefused,
    ProviderFileError,
    UnknownName,
)

ACME = """
[provider]
name = "{name}"
[environments.sandbox]
token_endpoint = "https://id.{name}.example/t"
api_base = "https://api.{name}.example"
[environments.production]
token_endpoint = "https://id.{name}.example/p"
api_base = "https://live.{name}.example"
"""


@pytest.fixture
def offered(tmp_path):
    """Return what writes files and returns a session that is offered them."""

    def write(*texts, folder=False):
        place = tmp_path / "site"
        place.mkdir()
        paths = []
        for number, text in enumerate(texts):
            path = place / f"{number}.toml"
            path.write_text(text, encoding="utf-8")
            paths.append(str(path))
        value = str(place) if folder else os.pathsep.join(paths)
        return Session(environ={"OAUTHMAGIC_PROVIDERS": value})

    return write


@pytest.mark.parametrize("folder", [False, True])
def test_a_site_offers_providers(offered, folder):
    """Files of a list, or all of a folder; each as `%token add` would read it."""
    session = offered(ACME.format(name="acme"), ACME.format(name="bolt"), folder=folder)

    assert {"acme", "bolt", "revsto"} <= {*session.names()}
    assert {"acme", "bolt"} <= {*session.providers()["provider"]}
    assert session.adopt("acme", {"access_token": "fake-at"}).target == "acme@sandbox"


def test_files_are_read_at_the_first_use(tmp_path):
    """Making a session reads nothing; from the first use on, nothing is read again."""
    path = tmp_path / "acme.toml"
    session = Session(environ={"OAUTHMAGIC_PROVIDERS": str(path)})
    path.write_text(ACME.format(name="acme"), encoding="utf-8")
    first = session.names()
    path.unlink()

    assert "acme" in first
    assert session.names() == first


def test_a_private_authority_comes_with_the_file(tmp_path):
    """Relative to the file that names it."""
    (tmp_path / "own.pem").write_text("plainly fake", encoding="utf-8")
    path = tmp_path / "acme.toml"
    text = ACME.format(name="acme").replace(
        "[environments.production]",
        'ca_file = "own.pem"\n[environments.production]',
    )
    path.write_text(text, encoding="utf-8")
    session = Session(environ={"OAUTHMAGIC_PROVIDERS": str(path)})

    sandbox = session.provider("acme").environments["sandbox"]
    assert sandbox.ca_file == str((tmp_path / "own.pem").resolve())


@pytest.mark.parametrize("alone", [False, True])
def test_a_site_can_do_without_production(offered, alone):
    """For every provider and before any prompt; no switch of a notebook opens it."""
    asked = []
    text = "allow_production = false\n"
    session = offered(text if alone else text + ACME.format(name="acme"))
    session.prompt = lambda label, _: asked.append(label) or "fake"
    mine = {"client_id": "fake", "client_secret": "fake-secret"}

    for attempt in (
        lambda: session.token("revsto@production", credentials=mine),
        lambda: session.api("stet/17515@production", "GET /accounts"),
        lambda: session.add("https://id.acme.example", name="other@production"),
    ):
        with pytest.raises(EnvironmentRefused, match=r"0\.toml allows no production"):
            attempt()
    session.configure(environment="production")
    with pytest.raises(EnvironmentRefused):
        session.token("revsto")

    assert asked == []
    assert session.token("revsto@demo")


def test_one_file_that_refuses_is_enough(offered):
    """A later one does not take it back."""
    session = offered("allow_production = false", "allow_production = true")

    with pytest.raises(EnvironmentRefused):
        session.token("revsto@production")


def test_nobody_replaces_a_provider_of_the_site(offered, tmp_path):
    """A notebook must not move it to servers of its own."""
    session = offered(ACME.format(name="acme"))
    path = tmp_path / "mine.toml"
    path.write_text(ACME.format(name="acme"), encoding="utf-8")

    with pytest.raises(CommandError, match="one of this site's"):
        session.add(path)
    assert session.add(path, name="mine") == "mine"


BROKEN = {
    "[provider": "not TOML",
    "allow_production = 'no'": "must be true or false",
    "allow_production = 0": "must be true or false",
    "allow_prodction = false": "Did you mean 'allow_production'?",
    ACME.format(name="revsto"): "name of an installed provider",
    ACME.format(name="acme").replace("api_base", "api_bse"): "'api_base'",
    ACME.format(name="acme").replace("live.acme.example", "localhost"): "machine",
    "": "no name",
}


@pytest.mark.parametrize("text", BROKEN)
def test_an_error_names_the_file_and_nothing_goes_on(offered, text):
    """The file that cannot be read may be the one that allows no production."""
    session = offered(text)

    for _ in range(2):
        for attempt in (
            lambda: session.token("revsto@demo"),
            session.names,
            session.providers,
        ):
            with pytest.raises(ProviderFileError) as refused:
                attempt()
            said = f"{refused.value} {refused.value.hint}"
            assert os.path.join("site", "0.toml") in said  # noqa: PTH118 - a text
            assert BROKEN[text] in said


def test_a_path_that_leads_nowhere_is_named():
    """An administrator's misprint is not silently nothing."""
    session = Session(environ={"OAUTHMAGIC_PROVIDERS": "/nowhere/at-all.toml"})

    with pytest.raises(ProviderFileError, match=r"/nowhere/at-all\.toml"):
        session.token("revsto@demo")


def test_two_files_of_one_name_are_a_mistake(offered):
    """The second one is named."""
    session = offered(ACME.format(name="acme"), ACME.format(name="acme"))

    with pytest.raises(ProviderFileError, match=r"1\.toml"):
        session.names()


def test_a_file_of_a_user_says_nothing_about_the_site(tmp_path):
    """`allow_production` is no key of `%token add`."""
    path = tmp_path / "mine.toml"
    path.write_text(f"allow_production = true\n{ACME.format(name='acme')}")

    with pytest.raises(ProviderFileError) as refused:
        Session(environ={}).add(path)
    assert "allow_production" in str(refused.value)
    assert not isinstance(refused.value, UnknownName)
