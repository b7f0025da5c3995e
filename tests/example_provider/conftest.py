"""A package of its own: its test runs where it is installed (test_plugin.py)."""

collect_ignore = ["test_oauthmagic_acme.py"]
