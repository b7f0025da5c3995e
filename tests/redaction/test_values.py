"""Secrets do not show, and there is nothing to get them out by accident."""

import copy
import gc
import json
import pickle
import pprint

import pytest

from oauthmagic.errors import OAuthMagicError, SecretRefused
from oauthmagic.redaction import Secret, forget_the_gone, live_values, redact, values


def numbered(*ways):
    """Functions have no names to tell them apart in a report."""
    return [pytest.param(way, id=f"way-{number}") for number, way in enumerate(ways)]


CANARY = "canary-7f3a9 +é/\"%&'<b>"


@pytest.mark.parametrize(
    "show",
    numbered(
        repr,
        str,
        format,
        "{}".format,
        "{!r:>40}".format,
        lambda secret: f"{secret}{secret!r}{secret!s}",
        lambda secret: "%s" % secret,  # noqa: UP031 - one of the ways
        ascii,
        pprint.pformat,
        lambda secret: str([secret]) + str({"a": secret}) + str((secret,)),
        lambda secret: json.dumps({"a": secret}, default=str),
        dir,
        lambda secret: secret.reveal.__doc__,
        lambda secret: str(secret._open),
    ),
)
def test_a_secret_does_not_show(show):
    """Whatever turns it into text shows a mask."""
    assert CANARY not in str(show(Secret(CANARY)))


@pytest.mark.parametrize(
    ("use", "verb"),
    [
        (lambda secret: secret == CANARY, "compared"),
        (hash, "hashed"),
        (len, "measured"),
        (iter, "iterated over"),
        (lambda secret: secret[0], "indexed"),
        (lambda secret: "c" in secret, "searched"),
        (lambda secret: secret + "x", "joined to a text"),
        (lambda secret: "x" + secret, "joined to a text"),
        (bytes, "turned into bytes"),
        (lambda secret: setattr(secret, "_open", None), "changed"),
        (lambda secret: delattr(secret, "_open"), "changed"),
        (pickle.dumps, "pickled or stored"),
        (lambda secret: secret.__getstate__(), "pickled or stored"),
        (lambda secret: secret.__reduce__(), "pickled or stored"),
    ],
    ids=range(14),
)
def test_a_refusal_says_what_was_tried(use, verb):
    """In a word, and without the value."""
    with pytest.raises(SecretRefused) as caught:
        use(Secret(CANARY))

    assert str(caught.value) == f"A secret cannot be {verb}."


def test_a_refusal_says_what_to_do_instead():
    """A text, an attribute, a name that a session knows."""
    uses = {
        "Give it as a string.": lambda: Secret(7),
        "Keep a Secret as an attribute instead.": lambda: type("A", (Secret,), {}),
        "ask a Session for the token there": lambda: pickle.dumps(Secret(CANARY)),
    }
    for hint, use in uses.items():
        with pytest.raises(SecretRefused) as caught:
            use()
        assert hint in caught.value.hint


def test_a_secret_offers_one_name():
    """Completion shows nothing else."""
    assert dir(Secret(CANARY)) == ["reveal"]


@pytest.mark.parametrize(
    "use",
    numbered(
        lambda secret: secret == CANARY,
        lambda secret: secret != CANARY,
        lambda secret: secret == secret,  # noqa: PLR0124 - even that
        hash,
        len,
        iter,
        list,
        lambda secret: secret[0],
        lambda secret: "c" in secret,
        lambda secret: secret + "x",
        lambda secret: "x" + secret,
        bytes,
        lambda secret: setattr(secret, "_open", None),
        lambda secret: delattr(secret, "_open"),
        *[
            lambda secret, protocol=protocol: pickle.dumps(secret, protocol)
            for protocol in range(6)
        ],
    ),
)
def test_a_secret_refuses_to_be_used_by_accident(use):
    """Comparing, measuring, joining and pickling raise, and say what to do."""
    with pytest.raises(SecretRefused) as caught:
        use(Secret(CANARY))

    assert CANARY not in str(caught.value)
    assert caught.value.hint


def test_a_secret_has_no_attributes_to_list():
    """`vars` has nothing to show."""
    with pytest.raises(TypeError):
        vars(Secret(CANARY))


def test_a_secret_is_true_and_reveals_itself_when_asked():
    """`if token.refresh_token` works; the value needs a word of its own."""
    secret = Secret(CANARY)

    assert secret
    assert secret.reveal() == CANARY


def test_copies_share_the_handle():
    """A deep copy of what holds a secret does not multiply the value."""
    secret = Secret(CANARY)

    assert copy.copy(secret) is secret
    assert copy.deepcopy({"a": secret})["a"] is secret


def test_a_secret_is_a_text():
    """Anything else is refused without being repeated."""
    with pytest.raises(SecretRefused, match="not bytes"):
        Secret(b"canary")


def test_a_secret_keeps_its_value():
    """A second `__init__` would leave the first value unknown to the redactor."""
    secret = Secret("canary-first")

    with pytest.raises(SecretRefused, match="cannot be changed"):
        secret.__init__("canary-second")

    assert secret.reveal() == "canary-first"


def test_there_is_no_other_kind_of_secret():
    """A subclass could show what the class does not."""
    with pytest.raises(SecretRefused, match="subclassed"):
        type("Loud", (Secret,), {"__repr__": Secret.reveal})


def test_a_text_of_another_type_is_kept_as_text():
    """A string's subclass cannot say something else later."""

    class Sly(str):
        __slots__ = ()

        def __str__(self):
            return "harmless"

    assert type(Secret(Sly("canary-sly-1")).reveal()) is str
    assert Secret(Sly("canary-sly-2")).reveal() == "canary-sly-2"


def test_a_secret_that_is_gone_is_still_masked():
    """A reply that repeats it may be shown again, long after the token was renewed."""
    secret = Secret("canary-gone-not-forgotten")
    del secret
    gc.collect()

    assert redact("<canary-gone-not-forgotten>") == "<[secret]>"


def test_only_the_latest_values_are_remembered():
    """What nobody holds any more makes room; a value made twice counts once."""
    kept = Secret("canary-held-all-the-time")
    Secret("canary-held-by-nobody")
    for number in range(1000):
        assert number in range(990) or "canary-held-by-nobody" in live_values()
        for _ in range(2):
            Secret(f"canary-filler-{number}")
    known = live_values()

    assert "canary-held-by-nobody" not in known
    assert redact("<canary-held-by-nobody>") == "<canary-held-by-nobody>"
    assert redact("<canary-held-all-the-time>") == "<[secret]>"
    assert "canary-filler-0" in known
    assert kept


def test_a_value_made_again_is_among_the_latest():
    """However long ago it was made first."""
    Secret("canary-made-twice")
    for number in range(999):
        Secret(f"canary-filler-{number}")
    Secret("canary-made-twice")
    for number in range(999):
        Secret(f"canary-later-{number}")

    assert redact("<canary-made-twice>") == "<[secret]>"


def test_a_secret_that_is_gone_leaves_nothing_behind():
    """A kernel runs for weeks, and makes secrets all the time."""
    forget_the_gone()
    gc.collect()
    before = len(values._live)
    for _ in range(9):
        Secret("canary-gone-for-good")
    forget_the_gone()
    gc.collect()

    assert len(values._live) == before


def test_six_characters_are_remembered():
    """They are looked for in every text, and so they are afterwards."""
    Secret("zqxjkv")
    gc.collect()

    assert redact("<zqxjkv>") == "<[secret]>"


def test_a_short_secret_is_not_remembered():
    """It would blank out ordinary words for as long as the process runs."""
    Secret("dog")
    gc.collect()

    assert redact("a dog") == "a dog"


def test_refusals_are_errors_of_ours_and_type_errors():
    """`except TypeError` around a foreign serializer still works."""
    assert issubclass(SecretRefused, OAuthMagicError)
    assert issubclass(SecretRefused, TypeError)


def test_its_state_is_refused_by_itself():
    """Some serializers ask for that alone."""
    with pytest.raises(SecretRefused):
        Secret("fake-value").__getstate__()


def test_the_longest_value_comes_first():
    """One that is part of another must not be masked before it."""
    made = [Secret("zzz-fake"), Secret("aaa-fake-and-longer"), Secret("mmm-fake-1")]

    values = {secret.reveal() for secret in made}
    ours = [value for value in live_values() if value in values]

    assert ours == ["aaa-fake-and-longer", "mmm-fake-1", "zzz-fake"]
    assert made
