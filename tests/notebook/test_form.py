"""`%token form`: what it asks, what it does, and what it keeps of a secret."""

from __future__ import annotations

import html
import re
import threading
import time

import keyring
import pytest
from faked_keyrings import Fake
from ipywidgets import Password, Text
from loopback_servers import ACCESS_TOKEN, CLIENT_ID, HOSTILE, SECRET, bank, describe

import oauthmagic
from oauthmagic import Session
from oauthmagic.errors import CommandError, UnknownName
from oauthmagic.notebook.forms import TokenForm
from oauthmagic.notebook.scope_lists import MOST_LISTED
from oauthmagic.notebook.secret_fields import SecretField
from oauthmagic.providers.environments import SandboxEnvironment
from oauthmagic.providers.provider import Provider

CORE = {
    *("TextModel", "PasswordModel", "DropdownModel", "CheckboxModel", "ButtonModel"),
    *("HTMLModel", "LabelModel", "OutputModel", "HBoxModel", "VBoxModel"),
    *("SelectMultipleModel",),
}


@pytest.fixture(scope="module")
def server():
    """A server with one client."""
    with bank() as server:
        yield server


@pytest.fixture
def session(server, tmp_path):
    """A session that knows the server, and where nobody can be asked."""
    server.asked.clear()
    session = Session(environ={})
    session.add(describe(server, tmp_path))
    return session


def settle():
    """Wait until the forms have done what they were asked for."""
    for thread in threading.enumerate():
        if thread.name == "oauthmagic-form":
            thread.join(20)


def click(button):
    """Click a button as a front end does, and wait for what it does."""
    button._handle_button_msg(button, {"event": "click"}, [])
    settle()


def enter(form, **values):
    """Fill in fields as a front end does."""
    for name, value in values.items():
        form._credentials.fields[name].set_state({"value": value})


def controls(form):
    """Return every control of a form, in the order of the focus."""
    found, todo = [], [form.box]
    while todo:
        widget = todo.pop(0)
        found.append(widget)
        todo = [*getattr(widget, "children", ()), *todo]
    return found


def said(form):
    """Return what a form says, as text."""
    shown = re.sub(r"<[^>]+>", " ", form._said.value + form._granted.value)
    return html.unescape(shown)


def test_a_demo_needs_nothing(session):
    """`%token form revsto@demo`, *Get token*, and there it is."""
    form = TokenForm(session, "revsto@demo")

    click(form._get)

    assert form.token.target == "revsto@demo"
    assert form._credentials.fields == {}
    assert "account_view" in said(form)
    assert "asked for and granted" in said(form)


def test_a_secret_is_typed_and_a_token_comes(session, server):
    """The fields are those that the grant needs; the result is in `form.token`."""
    form = TokenForm(session, "bank")
    assert list(form._credentials.fields) == ["client_id", "client_secret"]

    enter(form, client_id=CLIENT_ID, client_secret=SECRET)
    click(form._get)

    assert form.token.access_token.reveal() == ACCESS_TOKEN
    assert server.asked[0]["client_secret"] == SECRET
    assert server.asked[0]["scope"] == "accounts"


def test_what_was_granted_stands_beside_what_was_asked(session):
    """In words; what is missing comes first."""
    form = TokenForm(session, "bank")
    form._scopes.list.children[2].value = True

    enter(form, client_id=CLIENT_ID, client_secret=SECRET)
    click(form._get)

    rows = re.findall(r"<tr>(.*?)</tr>", form._granted.value)[1:]
    cells = [
        [re.sub("<[^>]+>", "", each) for each in re.findall(r"<t[dh].*?</t[dh]>", row)]
        for row in rows
    ]
    assert cells == [
        ["statements", "See statements", "yes", "no"],
        ["accounts", "See accounts", "yes", "yes"],
        ["payments", "Pay", "no", "yes"],
    ]


def test_a_secret_is_in_no_state(session):
    """Not typed, not submitted, not after an error: no trait and no state has it."""
    form = TokenForm(session, "bank")
    field = form._credentials.fields["client_secret"]
    sent = []
    field._send = lambda message, buffers=None: sent.append((message, buffers))

    enter(form, client_id=CLIENT_ID, client_secret="Canary-wrong-one/+=")
    states = [str(each.get_state()) for each in controls(form)]
    click(form._get)
    enter(form, client_secret=SECRET)
    click(form._get)

    states += [str(each.get_state()) for each in controls(form)]
    everything = "".join(map(str, [*states, *sent, form, field, field.value]))
    assert form.token is not None
    assert "Canary-wrong-one" not in everything
    assert SECRET not in everything
    # The front end is told to empty its own copy.
    assert {"value": ""} in [message.get("state") for message, _ in sent]


def test_a_secret_field_is_a_core_password():
    """Every front end has its model; nothing that is set in Python stays either."""
    field = SecretField(description="client_secret")

    field.value = "fake-secret-of-a-cell"

    assert isinstance(field, Password)
    assert field.get_state()["_model_name"] == "PasswordModel"
    assert (field.value, field.get_state("value")) == ("", {"value": ""})
    assert field.secret.reveal() == "fake-secret-of-a-cell"
    field.clear()
    assert field.secret is None


def test_only_core_controls_are_used(session):
    """Those of ipywidgets 7.7.1, with the names that every front end knows."""
    form = TokenForm(session, "bank")

    found = {each.get_state()["_model_name"] for each in controls(form)}

    assert found <= CORE


def test_every_control_says_what_it_is(session):
    """A label or a text; the focus goes in the order of the page."""
    form = TokenForm(session, "bank")

    labels = [
        each.description
        for each in controls(form)
        if "description" in each.keys and type(each).__name__ != "HTML"
    ]

    assert all(labels)
    order = ["Provider", "Environment", "client_id", "client_secret", "Search"]
    order += ["Select all", "Get token", "Test it", "Remember in keyring"]
    places = [labels.index(each) for each in order]
    assert places == sorted(places)


def test_production_looks_and_reads_differently(session):
    """A word, a colour, and the button says it once more."""
    form = TokenForm(session, "bank@sandbox")
    before = form._notice.value, form._get.button_style

    form._environment.value = "production"

    assert "<b>PRODUCTION</b>: real accounts" in form._notice.value
    assert "background" in form._notice.value
    assert form._get.description == "Get token (PRODUCTION)"
    assert form._get.button_style == "danger"
    assert "PRODUCTION" not in before[0]
    assert before[1] == "primary"


def test_a_secret_of_one_environment_does_not_reach_another(session, server):
    """What was entered is dropped when the target changes."""
    form = TokenForm(session, "bank@production")
    enter(form, client_id=CLIENT_ID, client_secret=SECRET)

    form._environment.value = "sandbox"
    click(form._get)

    assert server.asked == []
    assert "MissingCredentials" in said(form)


def test_production_is_closed_on_a_binder(server, tmp_path):
    """There is no field to fill in, and the reason is said."""
    session = Session(environ={"BINDER_REQUEST": "1"})
    session.add(describe(server, tmp_path))

    form = TokenForm(session, "bank@production")

    assert form._credentials.fields == {}
    assert "on a public Binder nothing is private" in said(form)


def test_the_line_follows_the_choices(session):
    """Ready to copy; it is the line that does the same, and never has a secret."""
    form = TokenForm(session, "bank@sandbox")
    enter(form, client_secret=SECRET)
    lines = [form.line]
    form._scopes.list.children[1].value = True
    lines.append(form.line)
    form._scopes.all.click()
    lines.append(form.line)
    form._scopes.none.click()
    lines.append(form.line)
    form._environment.value = "production"
    lines.append(form.line)

    assert lines == [
        "%token bank@sandbox --scope accounts",
        "%token bank@sandbox --scope accounts payments",
        "%token bank@sandbox --all-scopes",
        "%token bank@sandbox",
        "%token bank@production",
    ]
    assert ">%token bank@production</pre>" in form._line.value


def test_the_line_does_the_same(shell):
    """It can be run as it stands."""
    form = TokenForm(oauthmagic.current_session(), "stet/17515@demo")
    form._grant.value = "client_credentials"

    assert form.line.startswith("%token stet/17515@demo --grant client_credentials")
    form._provider.value = "revsto"
    ran = shell(form.line)

    assert ran.error is None
    assert ran.value.scopes_requested == frozenset(form._choice.scopes)


def test_scopes_are_searched_by_name_and_meaning(session):
    """What the search hides stays selected; all and none mean what is listed."""
    form = TokenForm(session, "revsto@demo")
    form._scopes.none.click()

    form._scopes.search.value = "KYC documents"
    listed = [each.description for each in form._scopes.list.children]
    form._scopes.all.click()
    form._scopes.search.value = "posting"
    form._scopes.none.click()

    assert listed == ["document_management: Upload and manage KYC documents"]
    assert form.line == "%token revsto@demo --scope document_management"
    form._scopes.search.value = "no such words"
    assert "No scope has these words" in form._scopes.list.children[0].value


def test_many_scopes_are_not_all_listed(session):
    """A page of a thousand boxes helps nobody; a search finds the rest."""
    many = {f"scope-{number:04}": f"Number {number}" for number in range(1000)}
    environment = SandboxEnvironment(
        token_endpoint="https://many.example/token",
        api_base="https://many.example",
    )
    session.add(
        Provider(
            name="many",
            title="Many",
            environments={"sandbox": environment},
            grants=("client_credentials",),
            default_grant="client_credentials",
            scopes=many,
        )
    )
    before = time.perf_counter()
    form = TokenForm(session, "many")
    elapsed = time.perf_counter() - before

    assert len(form._scopes.list.children) == MOST_LISTED + 1
    assert "and 940 more" in form._scopes.list.children[-1].value
    form._scopes.search.value = "0999"
    assert len(form._scopes.list.children) == 1
    assert elapsed < 5


def test_a_hostile_description_is_a_text(session):
    """Neither markup nor mathematics, in labels and in what is said."""
    form = TokenForm(session, "bank")
    form._scopes.all.click()
    box = form._scopes.list.children[3]

    enter(form, client_id=CLIENT_ID, client_secret=SECRET)
    click(form._get)

    assert box.description.startswith(("x<img>", "x&lt;img&gt;"))
    assert "$" not in box.description
    assert "\\href" not in box.description
    assert "<img" not in form._granted.value + form._line.value + form._said.value
    assert HOSTILE[0].replace("<", "&lt;").replace(">", "&gt;") in form._granted.value
    assert 'class="tex2jax_ignore mathjax_ignore"' in form._granted.value


def test_a_refusal_is_a_sentence_and_a_hint(session):
    """In the form, and what was entered can be entered again."""
    form = TokenForm(session, "bank")

    enter(form, client_id=CLIENT_ID, client_secret="fake-wrong-secret")
    click(form._get)

    assert 'role="alert"' in form._said.value
    assert "<b>InvalidClient:</b>" in form._said.value
    assert "<b>Hint:</b>" in form._said.value
    assert form.token is None
    assert not form._get.disabled


def test_a_slow_server_keeps_nobody_waiting(session, server):
    """A click returns at once; the form says what goes on, and asks only once."""
    form = TokenForm(session, "bank")
    enter(form, client_id=CLIENT_ID, client_secret=SECRET)
    server.pause.clear()

    form._get.click()
    form._get.click()
    waiting = said(form), form._get.disabled, form.token
    server.pause.set()
    settle()

    assert waiting == (" Asking Bank <b>of</b> Examples for a token ... ", True, None)
    assert len(server.asked) == 1
    assert form.token is not None
    assert not form._get.disabled


def test_what_is_missing_is_named(session):
    """Nobody is prompted from a form, whatever the session could do."""
    session.prompt = lambda *_: pytest.fail("prompted")
    form = TokenForm(session, "bank")
    enter(form, client_id=CLIENT_ID)
    from oauthmagic.notebook import prompts  # noqa: PLC0415 - the seam itself

    session.prompt = prompts._ask
    click(form._get)

    assert "No client_secret was entered" in said(form)
    assert "Fill in what is empty above" in said(form)


def test_testing_is_one_harmless_request(session, server):
    """The provider names it; the form says what came back."""
    form = TokenForm(session, "bank")
    assert form._test.disabled

    enter(form, client_id=CLIENT_ID, client_secret=SECRET)
    click(form._get)
    click(form._test)

    assert f"GET http://127.0.0.1:{server.server_port}/accounts: 200 OK" in said(form)


def test_credentials_are_remembered_on_a_click(session):
    """In the keyring, for this target; a demo has nothing to remember."""
    before, backend = keyring.core._keyring_backend, Fake()
    keyring.set_keyring(backend)
    form = TokenForm(session, "bank@sandbox")
    enter(form, client_id=CLIENT_ID, client_secret=SECRET)
    click(form._get)

    click(form._keep)
    keyring.core._keyring_backend = before

    assert "In the keyring for bank@sandbox: client_id, client_secret" in said(form)
    assert backend.items["oauthmagic", "bank@sandbox/client_secret"] == SECRET
    assert TokenForm(session, "revsto@demo")._keep.disabled


def test_a_login_shows_its_card_and_goes_on(session):
    """The form has the token when the user is back, by whatever way."""
    form = TokenForm(session, "stet/17515@demo")

    click(form._get)
    (card,) = form._pending.outputs
    assert form.token is None
    session.resume(answer="accept")

    assert "asks you to log in" in card["data"]["text/plain"]
    assert form.token.target == "stet/17515@demo"
    assert form._pending.outputs == ()


def test_a_target_without_its_tenant_asks_for_it(session):
    """Known ones are a list, others are typed."""
    form = TokenForm(session, "paysafe@demo")
    assert "needs a brand" in said(form)

    form._other_tenant.value = "liberty"
    click(form._get)

    assert form.token.target == "paysafe/liberty@demo"


def test_a_held_token_is_shown(session):
    """The form knows what the session has."""
    token = session.token("revsto@demo")

    form = TokenForm(session, "revsto@demo")

    assert form.token is token or form.token.fingerprint == token.fingerprint
    assert not form._test.disabled


def test_what_cannot_be_a_target_is_refused(session):
    """Before there is a form."""
    with pytest.raises(UnknownName, match="revsto"):
        TokenForm(session, "revsot@demo")
    with pytest.raises(UnknownName, match="environment"):
        TokenForm(session, "bank@demo")
    with pytest.raises(CommandError):
        TokenForm(session, "stet/00000@demo")


def test_a_mistake_of_ours_reaches_the_form(session):
    """A callback's exception is seen nowhere else."""
    form = TokenForm(session, "revsto@demo")
    session.token = lambda *_, **__: 1 / 0

    click(form._get)

    assert "Something unexpected happened (ZeroDivisionError)" in said(form)
    assert not form._get.disabled


class Answers:
    """A prompt that gives prepared answers, and keeps what was asked."""

    def __init__(self, *answers):
        self.left = list(answers)
        self.asked = []

    def __call__(self, label, secret):
        """Answer a question."""
        self.asked.append((label, secret))
        return self.left.pop(0)


@pytest.fixture
def asked(shell, monkeypatch, server, tmp_path):
    """Return what runs `%token form` in a terminal with prepared answers."""
    session = oauthmagic.current_session()
    session.add(describe(server, tmp_path))

    def run(line, *answers):
        prompt = Answers(*answers)
        monkeypatch.setattr("oauthmagic.notebook.commands.prompt_for", lambda _: prompt)
        return shell(line), prompt

    return run


def test_a_terminal_asks_step_by_step(asked):
    """Provider, environment, scopes by number or name, hidden secrets; then offers."""
    ran, prompt = asked(
        "%token form", "bank", "sandbox", "1 statements", CLIENT_ID, SECRET, "y", "n"
    )

    assert ran.error is None
    assert ran.value.target == "bank@sandbox"
    assert [secret for _, secret in prompt.asked] == [False] * 4 + [True, False, False]
    assert "%token bank@sandbox --scope accounts statements" in ran.stdout
    assert re.search(r"statements +NOT granted +asked for", ran.stdout)
    assert "/accounts: 200 OK" in ran.stdout
    assert SECRET not in ran.stdout


def test_a_terminal_asks_only_for_what_is_open(asked):
    """With a target, no provider and no environment; an empty answer is the default."""
    ran, prompt = asked("%token form revsto@demo", "", "n")

    assert ran.error is None
    assert ran.value.target == "revsto@demo"
    assert len(prompt.asked) == 2
    assert "DEMO: a simulator" in ran.stdout


def test_a_terminal_searches_scopes(asked):
    """`?word` lists what has it; numbers stay those of the whole list."""
    ran, _ = asked("%token form revsto@demo", "?kyc", "8", "n")

    assert ran.error is None
    assert ran.value.scopes == {"document_management"} or ran.value.scopes
    found = re.findall(r"^ +(\d+)  (\S*kyc\S*|document\S*)", ran.stdout, re.MULTILINE)
    assert len(found) >= 2


def test_a_terminal_gives_up_after_three_answers(asked):
    """Not for ever; what it did not understand is said."""
    ran, _ = asked("%token form revsto@demo", "nonsense", "999", "-1")

    assert isinstance(ran.error, CommandError)
    assert "no scope 'nonsense'" in ran.stdout


def test_without_anybody_to_ask_it_says_so(shell):
    """Neither a kernel that shows forms nor a terminal."""
    ran = shell("%token form revsto@demo")

    assert isinstance(ran.error, CommandError)
    assert "no form can be shown" in str(ran.error)


def test_text_fields_hold_no_keys():
    """A key that is pasted where its path belongs is hidden, too."""
    from oauthmagic.notebook.secret_fields import CredentialFields  # noqa: PLC0415

    fields = CredentialFields()
    fields.fill(dict.fromkeys(["client_id", "certificate", "private_key"], ""))

    assert type(fields.fields["private_key"]) is SecretField
    assert type(fields.fields["certificate"]) is Text
