"""DataFrames in which a notebook typesets no mathematics: a stranger's `$` is a `$`.

pandas has an option for it, for all DataFrames at once. That option is the user's; here
it is set while one of ours is shown, and what is made of that is the user's, too.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_OPTION = "display.html.use_mathjax"


def untypeset(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a DataFrame that shows itself as it always does, but for mathematics."""
    # Not the frame itself: what it holds would live until the next collection.
    reference: weakref.ref[Any] = weakref.ref(frame)

    def shown() -> Any:
        import pandas as pd  # noqa: PLC0415 - heavy

        found = reference()
        if found is None:
            return None
        with pd.option_context(_OPTION, False):  # noqa: FBT003 - pandas' own way
            return type(found)._repr_html_(found)

    # Of this one only; pandas' types do not know what notebooks ask for.
    object.__setattr__(frame, "_repr_html_", shown)
    return frame
