"""Keys that tell by their form whose they are."""

from __future__ import annotations

from typing import NamedTuple


class Vendor(NamedTuple):
    """One form of key.

    Attributes:
        name: Its name in JSON.
        title: Its name in a sentence.
        cues: What every such key begins with or holds, to look for it.
        pattern: What one looks like, cue included; case matters.
    """

    name: str
    title: str
    cues: tuple[str, ...]
    pattern: str


def _starting(prefix: str, characters: str, least: int, most: int = 0) -> str:
    most = most or 400
    return rf"(?<![A-Za-z0-9_])(?P<value>{prefix}{characters}{{{least},{most}}}+)"


_WORD = "[A-Za-z0-9]"
_WIDE = "[A-Za-z0-9_-]"
_HEX = "[0-9a-f]"

#: Each with the documented prefix of its vendor.
VENDORS = (
    Vendor(
        "aws-access-key-id",
        "AWS access key id",
        ("AKIA", "ASIA"),
        r"(?<![A-Z0-9])(?P<value>(?:AKIA|ASIA)[A-Z2-7]{16})(?![A-Za-z0-9])",
    ),
    Vendor(
        "github",
        "GitHub token",
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
        _starting("gh[pousr]_", _WORD, 36),
    ),
    Vendor(
        "github-pat",
        "GitHub token",
        ("github_pat_",),
        _starting("github_pat_", r"\w", 60),
    ),
    Vendor("gitlab", "GitLab token", ("glpat-",), _starting("glpat-", _WIDE, 20)),
    Vendor("slack", "Slack token", ("xox",), _starting("xox[abeoprs]-", _WIDE, 20)),
    Vendor(
        "slack-webhook",
        "Slack webhook",
        ("hooks.slack.com",),
        r"hooks\.slack\.com/(?P<value>(?:services|workflows)/[A-Za-z0-9/]{30,200}+)",
    ),
    Vendor("google-api-key", "Google API key", ("AIza",), _starting("AIza", _WIDE, 35)),
    Vendor(
        "google-oauth",
        "Google access token",
        ("ya29.",),
        _starting(r"ya29\.", _WIDE, 20),
    ),
    Vendor(
        "google-client-secret",
        "Google client secret",
        ("GOCSPX-",),
        _starting("GOCSPX-", _WIDE, 20),
    ),
    Vendor(
        "google-refresh-token",
        "Google refresh token",
        ("1//0",),
        r"(?<![A-Za-z0-9_/.:])(?P<value>1//0[A-Za-z0-9_-]{30,400}+)",
    ),
    Vendor(
        "stripe",
        "Stripe key",
        ("k_live_", "k_test_"),
        _starting("[sr]k_(?:live|test)_", _WORD, 16),
    ),
    Vendor("anthropic", "Anthropic key", ("sk-ant-",), _starting("sk-ant-", _WIDE, 32)),
    Vendor("openai", "OpenAI key", ("sk-",), _starting("sk-(?:proj-)?", _WIDE, 40)),
    Vendor("huggingface", "Hugging Face token", ("hf_",), _starting("hf_", _WORD, 30)),
    Vendor("npm", "npm token", ("npm_",), _starting("npm_", _WORD, 36, 36)),
    Vendor("pypi", "PyPI token", ("pypi-",), _starting("pypi-AgE", _WIDE, 50)),
    Vendor(
        "sendgrid",
        "SendGrid key",
        ("SG.",),
        r"(?<!\w)(?P<value>SG\.[\w-]{22}\.[\w-]{43})(?![\w-])",
    ),
    Vendor(
        "azure-storage",
        "Azure storage key",
        ("AccountKey=",),
        r"AccountKey=(?P<value>[A-Za-z0-9+/]{60,100}+={0,2})",
    ),
    Vendor(
        "azure-client-secret",
        "Azure client secret",
        ("8Q~",),
        r"(?<![\w~.-])(?P<value>[A-Za-z0-9_~.-]{3}8Q~[A-Za-z0-9_~.-]{31,34})(?![\w~-])",
    ),
    Vendor(
        "telegram",
        "Telegram bot token",
        (":AA",),
        r"(?<![\w-])(?P<value>[0-9]{8,10}:AA[\w-]{33})(?![\w-])",
    ),
    Vendor(
        "shopify",
        "Shopify token",
        ("shpat_", "shpca_", "shppa_", "shpss_"),
        _starting("shp(?:at|ca|pa|ss)_", _HEX, 32),
    ),
    Vendor("databricks", "Databricks token", ("dapi",), _starting("dapi", _HEX, 32)),
    Vendor("docker", "Docker token", ("dckr_",), _starting("dckr_pat_", _WIDE, 20)),
    Vendor(
        "digitalocean",
        "DigitalOcean token",
        ("_v1_",),
        _starting("do[opr]_v1_", _HEX, 64),
    ),
    Vendor("vault", "Vault token", ("hvs.",), _starting(r"hvs\.", _WIDE, 24)),
    Vendor(
        "age",
        "age identity",
        ("age-secret-key-1",),
        _starting("AGE-SECRET-KEY-1", _WORD, 58),
    ),
    Vendor(
        "grafana",
        "Grafana token",
        ("glc_", "glsa_"),
        _starting("gl(?:c|sa)_", r"[\w+/]", 32),
    ),
    Vendor("linear", "Linear key", ("lin_api_",), _starting("lin_api_", _WORD, 32)),
    Vendor("postman", "Postman key", ("PMAK-",), _starting("PMAK-", _WIDE, 40)),
    Vendor(
        "atlassian", "Atlassian token", ("ATATT3",), _starting("ATATT3", r"[\w=-]", 60)
    ),
    Vendor("doppler", "Doppler token", ("dp.pt.",), _starting(r"dp\.pt\.", _WORD, 40)),
    Vendor("square", "Square token", ("sq0",), _starting("sq0(?:atp|csp)-", _WIDE, 22)),
    Vendor("mailgun", "Mailgun key", ("key-",), _starting("key-", _HEX, 32, 32)),
)
