"""Fields for credentials; what is secret stays in the kernel and out of notebooks.

What is typed into a widget becomes part of its state: it is echoed to every front
end, and saved with the notebook where widget states are saved. Here it is taken out
of the message that brings it, before any trait is set, and the front end's own copy
is emptied at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ipywidgets import HTML, Password, Text, VBox
from traitlets import Unicode, validate

from oauthmagic.notebook.controls import labelled
from oauthmagic.oauth.credentials import SECRET_FIELDS
from oauthmagic.redaction import Secret
from oauthmagic.views.forms import note_html

if TYPE_CHECKING:
    from collections.abc import Mapping

ENTERED = "entered; type again to replace it"
#: Where a field would come from, if it is left empty.
SOURCES = {
    "held": "used before; leave empty to use it again",
    "environment": "in the environment; leave empty to use it",
    "": "leave empty only if the keyring has it",
}
#: Fields that hold a secret, or could: keys are pasted where their path belongs.
HIDDEN = (*SECRET_FIELDS, "private_key", "signing_key")
PATHS = ("certificate", "private_key", "signing_certificate", "signing_key")


class SecretField(Password):
    """A core `Password` whose value is always empty.

    Attributes:
        secret: What was entered last, or None.
        empty_placeholder: What is shown while nothing is entered.
    """

    value = Unicode("", help="Always empty.").tag(sync=True, echo_update=False)

    def __init__(self, *, placeholder: str = "", **kwargs: Any) -> None:
        self.secret: Secret | None = None
        self.empty_placeholder = placeholder
        # Not at each key: half a secret would stay in the front end's state.
        super().__init__(placeholder=placeholder, continuous_update=False, **kwargs)

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take the secret out of what a front end sends; the rest is state."""
        typed = sync_data.pop("value", "")
        super().set_state(sync_data)
        if typed:
            self.value = typed
            # The front end still has it, and would save it.
            self.send_state("value")

    def get_state(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return the state without a value, whoever asks."""
        state: dict[str, Any] = super().get_state(*args, **kwargs)
        if "value" in state:
            state["value"] = ""
        return state

    def clear(self) -> None:
        """Forget what was entered."""
        self.secret = None
        self.placeholder = self.empty_placeholder

    @validate("value")
    def _taken(self, proposal: dict[str, Any]) -> str:
        typed = proposal["value"]
        if typed:
            self._keep(typed)
            self.placeholder = ENTERED
        return ""

    def _keep(self, typed: str) -> None:
        self.secret = Secret(typed)


class CredentialFields:
    """One field for each credential that a grant needs."""

    def __init__(self) -> None:
        self.box = VBox()
        self.fields: dict[str, Text | SecretField] = {}

    def fill(self, sources: Mapping[str, str], note: str = "") -> None:
        """Show fields; what was entered into others is gone.

        Args:
            sources: As `Session.credential_sources` returns them.
            note: A sentence to show with them.
        """
        self.fields = {name: _field(name, sources[name]) for name in sources}
        notes = (HTML(note_html(note)),) if note else ()
        self.box.children = (*notes, *self.fields.values())

    def entered(self) -> dict[str, str | Secret]:
        """Return what was entered, by field."""
        found = {
            name: field.secret
            if isinstance(field, SecretField)
            else field.value.strip()
            for name, field in self.fields.items()
        }
        return {name: value for name, value in found.items() if value}

    def clear(self) -> None:
        """Forget the secrets: somebody else holds them now."""
        for field in self.fields.values():
            if isinstance(field, SecretField):
                field.empty_placeholder = SOURCES["held"]
                field.clear()


def _field(name: str, source: str) -> Text | SecretField:
    is_path = not source and name in PATHS
    placeholder = "path of a PEM file" if is_path else SOURCES[source]
    kind = SecretField if name in HIDDEN else Text
    field: Text | SecretField = labelled(kind, name, placeholder=placeholder)
    return field
