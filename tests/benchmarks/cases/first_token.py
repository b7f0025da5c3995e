"""From the start of a process to its first token, CPU above a bare Python."""

import statistics
import sys

from measuring import CannotRun, Table, in_turn, process, spread
from servers import nginx

BARE = "python -c pass"
AUTHLIB = "Authlib with httpx"
PROGRAMS = {
    BARE: "print('bench-token-')",
    AUTHLIB: """
import sys, warnings
sys.modules["httpx2"] = None
warnings.simplefilter("ignore")
from authlib.integrations.httpx_client import OAuth2Client
client = OAuth2Client("bench", "bench-secret")
token = client.fetch_token("{http}/token", grant_type="client_credentials")
print(token["access_token"])
""",
    "Authlib with httpx2": """
from authlib.integrations.httpx_client import OAuth2Client
client = OAuth2Client("bench", "bench-secret")
token = client.fetch_token("{http}/token", grant_type="client_credentials")
print(token["access_token"])
""",
    "requests-oauthlib": """
from oauthlib.oauth2 import BackendApplicationClient
from requests_oauthlib import OAuth2Session
session = OAuth2Session(client=BackendApplicationClient("bench"))
token = session.fetch_token("{http}/token", client_id="bench", client_secret="s")
print(token["access_token"])
""",
    "requests_oauth2client": """
from requests_oauth2client import OAuth2Client
client = OAuth2Client("{http}/token", client_id="b", client_secret="s", testing=True)
print(client.client_credentials().access_token)
""",
    "oauthmagic": """
import oauthmagic
session = oauthmagic.Session()
session.add("{folder}/http.toml")
credentials = {{"client_id": "bench", "client_secret": "bench-secret"}}
print(session.token("bench", credentials=credentials).access_token.reveal())
""",
    "oauthmagic, a demo in the process": """
import oauthmagic
print(oauthmagic.Session().token("revsto@demo") and "bench-token-")
""",
}
WAYS = {}


def measure(bench):
    """Return the table; each program is measured as a whole, from outside."""
    with nginx() as setting:

        def once(name):
            program = PROGRAMS[name].format(**setting)
            done = process([sys.executable, "-W", "ignore", "-c", program])
            if "bench-token-" not in done["out"]:
                raise CannotRun((done["err"].strip().splitlines() or ["no token"])[-1])
            return done

        for program in PROGRAMS.values():
            # The first start compiles what is then read from the disk.
            process([sys.executable, "-c", program.format(**setting)])
        found = in_turn(PROGRAMS, 2 * bench.rounds, once, print)
    above = {
        name: [one["cpu"] - bare["cpu"] for one, bare in zip(each, found[BARE])]
        for name, each in found.items()
        if name != BARE
    }
    rows = []
    for name, measured in above.items():
        pairs = zip(measured, above.get(AUTHLIB, []))
        ratios = [one / other for one, other in pairs]
        cost = spread([1000 * each for each in measured], "{:.0f}")
        rows.append((name, cost, f"{statistics.median(ratios or [0]):.2f}"))
    head = ("client", "CPU ms above bare Python", f"/ {AUTHLIB}")
    return [Table("From the start of a process to the first token", head, rows)]
