"""The main path in a real kernel, as front ends see it: by its messages."""

from __future__ import annotations

import os
import queue
import re
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import IPython
import pytest
from jupyter_client.manager import KernelManager
from loopback_servers import CLIENT_ID, bank, describe

TIMEOUT = 60
PASSWORD = 'Canary5 "pä&ß/w+rd%<é>'
SECRET = "Canary6-typed-at-the-prompt/+="
TOKEN = "Canary7-Zq9xT7~wB3+kL5/mN8=="


@dataclass(kw_only=True, slots=True)
class Said:
    """What a kernel said about a cell: messages by their type, in order."""

    iopub: list[dict[str, Any]] = field(default_factory=list)
    prompts: list[dict[str, Any]] = field(default_factory=list)
    reply: dict[str, Any] = field(default_factory=dict)

    def of(self, kind):
        """Return the contents of the messages of a type."""
        return [each["content"] for each in self.iopub if each["msg_type"] == kind]

    @property
    def text(self):
        """What was printed."""
        return "".join(each["text"] for each in self.of("stream"))


class Kernel:
    """A kernel with its client, and everything that it ever said on IOPub."""

    def __init__(self, manager: KernelManager) -> None:
        self.manager = manager
        self.client = manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=TIMEOUT)
        self.published: list[dict[str, Any]] = []

    def __call__(self, source, answers=None):
        """Run a cell; answer its prompts where answers are given."""
        message = self.client.execute(source, allow_stdin=answers is not None)
        return self.collect(message, answers)

    def collect(self, message, answers=None):
        """Return what the kernel says until the cell is over."""
        said, answers, end = Said(), list(answers or ()), time.monotonic() + TIMEOUT
        while time.monotonic() < end:
            if answers:
                self._answer(said, answers)
            try:
                heard = self.client.get_iopub_msg(timeout=0.05)
            except queue.Empty:
                continue
            self.published.append(heard)
            if heard["parent_header"].get("msg_id") != message:
                continue
            said.iopub.append(heard)
            if heard["content"].get("execution_state") == "idle":
                break
        said.reply = self.reply(message)
        return said

    def reply(self, message):
        """Return the kernel's reply to a request."""
        while True:
            reply = self.client.get_shell_msg(timeout=TIMEOUT)
            if reply["parent_header"].get("msg_id") == message:
                return reply["content"]

    def _answer(self, said, answers):
        try:
            asked = self.client.get_stdin_msg(timeout=0.05)
        except queue.Empty:
            return
        said.prompts.append(asked["content"])
        self.client.input(answers.pop(0))


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    """One kernel for this module, in a home of its own, over sockets of this user."""
    home = tmp_path_factory.mktemp("kernel")
    hidden = re.compile(r"(?i)(OAUTHMAGIC|JUPYTER|JPY|IPYTHON|BINDER)_.*|.*_PROXY")
    environment = {
        name: value for name, value in os.environ.items() if not hidden.match(name)
    }
    environment |= {
        "HOME": str(home),
        "IPYTHONDIR": str(home / ".ipython"),
        "OAUTHMAGIC_REVSTO_DEMO_PASSWORD": PASSWORD,
    }
    # Short, for the path of a socket has little room.
    with tempfile.TemporaryDirectory(prefix="k") as folder:
        manager = KernelManager(transport="ipc", ip=f"{folder}/k")
        manager.start_kernel(env=environment, cwd=str(home))
        kernel = Kernel(manager)
        kernel.home = home
        kernel("%load_ext oauthmagic")
        # A password that is wrong, unless a cell names another.
        kernel("right = {'password': 'simulated-password'}")
        yield kernel
        kernel.client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()


def test_a_token_is_display_data(kernel):
    """The value of `%token` comes as text and as HTML."""
    said = kernel("%token revsto@demo --credentials right")

    (result,) = said.of("execute_result")
    assert said.reply["status"] == "ok"
    assert result["data"].keys() == {"text/plain", "text/html"}
    assert result["data"]["text/plain"].startswith("Token revsto@demo")
    assert "<table" in result["data"]["text/html"]


def test_a_table_is_display_data(kernel):
    """So does the table of the tokens held."""
    (result,) = kernel("%token").of("execute_result")

    assert "revsto@demo" in result["data"]["text/plain"]
    assert "<table" in result["data"]["text/html"]


def test_a_reply_is_display_data(kernel):
    """So does a reply, and a DataFrame is a table."""
    (reply,) = kernel("%api revsto@demo GET /distributor/v1/products").of(
        "execute_result"
    )
    said = kernel("%%api revsto@demo --frame --out rows\nGET /distributor/v1/products")
    (frame,) = kernel("rows").of("execute_result")

    assert reply["data"].keys() == {"text/plain", "text/html"}
    assert "rows: DataFrame, 7 rows, 5 columns" in said.text
    assert frame["data"]["text/html"].count("<tr") == 8


def test_an_error_has_our_name(kernel):
    """The message to front ends has the class, the sentence and no traceback."""
    said = kernel("%token nope@demo")

    (error,) = said.of("error")
    assert error["ename"] == "UnknownName"
    assert error["evalue"].startswith("Unknown provider 'nope'.")
    assert "\n".join(error["traceback"]).startswith(
        "UnknownName: Unknown provider 'nope'."
    )
    assert "Hint: Known: " in error["traceback"][-1]
    assert said.reply["ename"] == "UnknownName"
    assert said.of("stream") == []


def test_a_wrong_password_is_refused_without_a_prompt(kernel):
    """What the server refuses is an error, not a question."""
    said = kernel("%token revsto@demo --fresh", answers=[])

    (error,) = said.of("error")
    assert error["ename"] == "InvalidCredentials"
    assert said.prompts == []


def test_missing_credentials_do_not_hang(kernel):
    """Without anybody to ask, the cell ends with every way to give them."""
    begun = time.monotonic()
    said = kernel("%token revsto@sandbox")

    (error,) = said.of("error")
    assert error["ename"] == "MissingCredentials"
    assert time.monotonic() - begun < 5
    for way in (
        "--credentials VAR",
        "OAUTHMAGIC_REVSTO_SANDBOX_PASSWORD",
        "--env-file",
    ):
        assert way in error["traceback"][-1]


def test_credentials_are_asked_for(kernel, echo_provider):
    """With somebody to ask: a prompt for each field, hidden where it is a secret."""
    kernel(f"%token add '{echo_provider()}'")

    said = kernel("%token echo", answers=["my-client", SECRET])

    asked = [(each["prompt"], each["password"]) for each in said.prompts]
    assert asked == [
        ("client_id for echo@sandbox: ", False),
        ("client_secret for echo@sandbox: ", True),
    ]
    (error,) = said.of("error")
    assert error["ename"] == "InvalidGrant"
    assert "[secret]" in error["evalue"]


def test_nothing_entered_is_an_error(kernel):
    """An empty answer ends the prompt, and no request is sent."""
    said = kernel("%token echo --fresh", answers=["my-client", ""])

    (error,) = said.of("error")
    assert error["ename"] == "MissingCredentials"
    assert "client_secret" in error["evalue"]


def test_an_interrupt_ends_a_slow_request(kernel, echo_provider, echo_server):
    """Ctrl-C ends a request that gets no answer, within half a second."""
    kernel(f"%token add '{echo_provider('/slow')}'")
    kernel("login = {'client_id': 'me', 'client_secret': 'not-a-secret'}")
    took = []
    for _ in range(3):
        message = kernel.client.execute("%token echo --credentials login")
        assert echo_server.reached.wait(TIMEOUT)
        echo_server.reached.clear()
        begun = time.monotonic()
        kernel.manager.interrupt_kernel()
        said = kernel.collect(message)
        took.append(time.monotonic() - begun)
        (error,) = said.of("error")
        assert error["ename"] == "KeyboardInterrupt"

    assert max(took) < 0.5
    assert kernel("1 + 1").reply["status"] == "ok"


@pytest.mark.skipif(
    IPython.version_info < (8, 6),
    reason="IPython has matchers like ours from 8.6 on; Colab has 7.34",
)
def test_a_token_can_be_completed(kernel):
    """Tab behind `%token` offers verbs and targets; behind `--scope`, scopes.

    Below `%%api`: methods, paths and variables.
    """

    def matches(line):
        return kernel.reply(kernel.client.complete(line, len(line)))["matches"]

    assert {"refresh", "revsto@demo"} <= {*matches("%token re")}
    assert "--fresh" in matches("%token revsto@demo --f")
    assert matches("%token revsto@demo --scope account_v") == ["account_view"]
    assert matches("%token introspect acme --of r") == ["refresh_token"]
    assert "--frame" in matches("%%api revsto@demo --f")
    assert matches("%%api revsto@demo --show ") == ["headers", "body", "exchange"]
    kernel("user_id = 'plainly-fake-value'")
    cell = "%%api revsto@demo\n"
    assert matches(f"{cell}PO") == ["POST"]
    assert matches(f"{cell}GET /distributor/v1/pro") == ["/distributor/v1/products"]
    assert matches(f"{cell}GET /distributor/v1/products?li") == ["limit="]
    assert matches(f"{cell}GET /users/{{{{us") == ["user_id}}"]
    assert matches("%api revsto@demo /distributor/v1/pro") == [
        "/distributor/v1/products"
    ]


def test_the_debugger_s_variables_hold_no_secret(kernel):
    """Variable inspectors get the redacted form of a token."""
    said = kernel(
        "held = %token show revsto@demo\n"
        "print(held.access_token.reveal() in repr(vars().get('held')), repr(held))"
    )

    assert said.text.startswith("False ShownToken(target='revsto@demo'")
    assert "access_token=[secret]" in said.text


def test_no_secret_was_ever_published(kernel, traces):
    """No message of all that this kernel sent holds a secret in any form."""
    # The last of this file: it looks at what the others made the kernel say.
    kernel(
        f"import base64; got = {{'access_token': base64.b64decode({_hidden(TOKEN)})"
        ".decode()}"
    )
    kernel("%token adopt echo --from got --as adopted")
    kernel("%api adopted --show exchange GET /echo/plain")
    kernel("%api adopted GET /echo/base64")
    published = repr(kernel.published)
    files = b"".join(
        path.read_bytes() for path in Path(kernel.home).rglob("*") if path.is_file()
    )

    assert "Bearer [secret]" in published
    assert len(kernel.published) > 50
    for canary in (PASSWORD, SECRET, TOKEN):
        assert traces(published, canary) == []
        assert traces(files, canary) == []


def _hidden(value):
    """Return an expression for the base64 of a value that no search for it finds."""
    import base64  # noqa: PLC0415 - only here

    encoded = base64.b64encode(value.encode()).decode()
    return f"{encoded[::-1]!r}[::-1]"


def test_what_is_typed_into_a_form_is_in_no_message(kernel, tmp_path):
    """A front end's message brings it; no message of the kernel gives it back."""
    typed = "Canary8-typed-into-a-form/+="
    with bank() as server:
        kernel(f"%token add {describe(server, tmp_path)}")
        said = kernel("form = %token form bank\nform")
        (shown,) = said.of("display_data")
        models = kernel(
            "for each in (*form._credentials.fields.values(), form._get):\n"
            "    print(each.model_id)"
        ).text.split()
        for model, data in zip(
            models,
            (
                {"method": "update", "state": {"value": CLIENT_ID}},
                {"method": "update", "state": {"value": typed}},
                {"method": "custom", "content": {"event": "click"}},
            ),
            strict=True,
        ):
            content = {"comm_id": model, "data": data}
            message = kernel.client.session.msg("comm_msg", content)
            # It gets no reply; what it leads to is said during the next cell.
            kernel.client.shell_channel.send(message)
        # Its shell is free while the form works.
        done = kernel("import time\nwhile form._is_busy: time.sleep(0.01)\nform._said")

    assert "widget-view+json" in str(shown["data"].keys())
    assert "%token form bank@sandbox --ask" in shown["data"]["text/plain"]
    assert done.reply["status"] == "ok"
    assert server.asked[0]["client_secret"] == typed
    assert typed not in str(kernel.published)


CONTROLS = """
import threading
from oauthmagic.notebook.controls import button, checkbox
heard = []
def hear(_):
    heard.append(threading.current_thread().name)
pressed, box = button("Get token"), checkbox("accounts")
pressed.on_click(hear)
box.observe(hear, names="value")
print(pressed.comm.comm_id, box.comm.comm_id)
"""


COUNT = """
import time
end = time.monotonic() + 3
while len(heard) < 2 and time.monotonic() < end:
    time.sleep(0.02)
print(len(heard), *set(heard))
"""


def test_a_click_does_not_overtake_what_was_chosen_before_it(kernel):
    """What a front end says of our controls is handled in one thread, in its order.

    Whatever thread each of them was written from last: ipykernel 7.4 would choose
    that one, and let a token be asked for with the scopes of before.
    """
    client = kernel.client
    about = kernel.reply(client.kernel_info())
    if "kernel subshells" not in about.get("supported_features", ()):
        pytest.skip("this ipykernel has one thread for all of them")
    pressed, box = kernel(CONTROLS).text.split()
    client.control_channel.send(client.session.msg("create_subshell_request"))
    subshell = client.get_control_msg(timeout=TIMEOUT)["content"]["subshell_id"]

    for comm_id, data in (
        (box, {"method": "update", "state": {"value": True}, "buffer_paths": []}),
        (pressed, {"method": "custom", "content": {"event": "click"}}),
    ):
        content = {"comm_id": comm_id, "data": data}
        message = client.session.msg("comm_msg", content)
        message["header"]["subshell_id"] = subshell
        client.shell_channel.send(message)
    said = kernel(COUNT)

    assert said.text.split() == ["2", f"subshell-{subshell}"]
