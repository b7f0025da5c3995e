"""DataFrames of ours are shown without mathematics; the user's are left alone."""

import copy
import gc
import pickle
import weakref

import pandas as pd
from IPython.core.interactiveshell import InteractiveShell

from oauthmagic.views.untypeset import untypeset


def test_a_frame_of_ours_is_shown_without_mathematics():
    """As always otherwise; a front end leaves such a table alone."""
    frame = pd.DataFrame({"a": ["$x$"]})
    typeset = frame._repr_html_()

    assert untypeset(frame) is frame

    shown = InteractiveShell.instance().display_formatter.format(frame)[0]["text/html"]
    assert "tex2jax_ignore" in shown
    assert "tex2jax_ignore" not in typeset
    assert shown.count("<td>") == typeset.count("<td>")


def test_the_users_option_and_frames_stay_as_they_are():
    """Copies, selections and pickles are ordinary DataFrames."""
    frame = untypeset(pd.DataFrame({"a": ["$x$"]}))
    frame._repr_html_()

    assert pd.get_option("display.html.use_mathjax") is True
    for other in (frame.head(), frame.copy(), copy.deepcopy(frame)):
        assert "tex2jax_ignore" not in other._repr_html_()
    assert pickle.loads(pickle.dumps(frame)).equals(frame)  # noqa: S301 - our own


def test_a_frame_is_gone_with_its_last_name():
    """What it holds does not wait for a collection."""
    frame = untypeset(pd.DataFrame({"a": [1]}))
    reference = weakref.ref(frame)
    shows = frame._repr_html_
    gc.disable()
    try:
        del frame
        assert reference() is None
    finally:
        gc.enable()
    assert shows() is None
