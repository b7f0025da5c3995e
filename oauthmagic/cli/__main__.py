"""Run the command line as `python -m oauthmagic.cli`."""

from __future__ import annotations

import sys

from oauthmagic.cli import main

sys.exit(main())
