"""Nothing of one environment is used in another (security: B11, D13).

Three providers, every ordered pair of their environments, every way in which a token,
credentials or a certificate get onto a request: refused by name, and nothing is sent.
"""

from __future__ import annotations

import itertools
import socket
import threading
from dataclasses import replace

import pytest

from oauthmagic import Session
from oauthmagic.errors import (
    CommandError,
    EnvironmentRefused,
    MissingCredentials,
    OAuthMagicError,
    UrlRefused,
)
from oauthmagic.oauth.adoption import read_adopted
from oauthmagic.oauth.credentials import read_credentials
from oauthmagic.oauth.outcomes import settled
from oauthmagic.oauth.targets import parse_target
from oauthmagic.providers.environments import (
    TYPES,
    DemoEnvironment,
    ProductionEnvironment,
    SandboxEnvironment,
)
from oauthmagic.providers.provider import Provider
from oauthmagic.runtime.authorized import send_authorized
from oauthmagic.runtime.granting import grant_parameters, perform
from oauthmagic.runtime.revocation import revoke as revoke_token
from oauthmagic.runtime.world import World
from oauthmagic.session.clients import client_for
from oauthmagic.session.step_ups import StepUp
from oauthmagic.transport.wire import WireRequest, WireResponse

TARGETS = ("revsto", "stet/17515", "paysafe/liberty")
PAIRS = list(itertools.permutations(TYPES, 2))
KEY = "-----BEGIN PRIVATE KEY-----\nplainly-fake-{}\n-----END PRIVATE KEY-----\n"


class Recorder:
    """Sends nothing, and notes that it was asked to."""

    def __init__(self):
        self.requests = []

    def send(self, request, **_):
        """Note the request."""
        self.requests.append(request)
        return WireResponse(status=200, body=b"{}")


class Pair:
    """A session in which one environment has everything, and another is asked.

    Attributes:
        here: The target that the token and the credentials belong to.
        there: The target that they must not get to.
    """

    def __init__(self, provider, here, there):
        self.here, self.there = f"{provider}@{here}", f"{provider}@{there}"
        self.recorder = Recorder()
        self.session = Session(environ=variables_of(self.here), transport=self.recorder)
        self.mine = {
            "client_id": f"fake-client-of-{here}",
            "client_secret": f"fake-secret-of-{here}",
            "username": f"fake-user-of-{here}",
            "password": f"fake-password-of-{here}",
            "private_key": KEY.format(here),
        }
        self.values = {
            "access_token": f"fake-access-token-of-{here}",
            "refresh_token": f"fake-refresh-token-of-{here}",
        }
        self.token = self.session.adopt(self.here, self.values, alias="mine")

    @property
    def keeper(self):
        """What renews and keeps tokens."""
        return self.session._keeper

    def world(self, name):
        """Return the world of a target."""
        return self.session._worlds.named(name)

    def sent(self):
        """Return how often anything went out: over the transport, or to a simulator."""
        demos = self.session._worlds._demos.values()
        return len(self.recorder.requests) + sum(
            len(demo.simulator.requests) for demo in demos
        )


def parse(target):
    """Read a target."""
    return parse_target(target, default_environment="sandbox")


def variables_of(target):
    """Return the variables that give a target its credentials."""
    name, _, environment = target.partition("@")
    prefix = f"OAUTHMAGIC_{name.replace('/', '_')}_{environment}_".upper()
    return {
        f"{prefix}CLIENT_ID": f"fake-client-of-{environment}",
        f"{prefix}CLIENT_SECRET": f"fake-secret-of-{environment}",
        f"{prefix}USERNAME": f"fake-user-of-{environment}",
        f"{prefix}PASSWORD": f"fake-password-of-{environment}",
        f"{prefix}PRIVATE_KEY": KEY.format(environment),
    }


def stamped(pair):
    """Return the credentials as the session holds them, with their target."""
    return pair.session._holdings.credentials(
        pair.world(pair.here), "", settled(read_credentials(None))
    )


def token_request(pair):
    """A token request with the credentials of another environment."""
    given = stamped(pair)
    parameters = grant_parameters("client_credentials", (), given)
    perform(pair.world(pair.there), given, parameters)


def refresh(pair):
    """A renewal at another authorization server."""
    pair.keeper.renew(pair.token, pair.world(pair.there), reason="asked for")


def api(pair):
    """An authorized request."""
    world = pair.world(pair.there)
    url = f"{world.environment.api_base}/x"
    request = WireRequest(method="GET", url=url)
    send_authorized(request, pair.token, keeper=pair.keeper, world=world)


def client(pair):
    """The HTTP library's own client."""
    with client_for(pair.world(pair.there), pair.token, pair.keeper) as session:
        session.get("/x")


def revoke(pair):
    """A revocation request, which carries the token itself."""
    revoke_token(pair.token, pair.keeper, pair.world(pair.there))


def step_up(pair):
    """The calls about a second factor."""
    world = pair.world(pair.there)
    ends = {"sca_endpoint": f"{world.environment.api_base}/auth/sca/events"}
    world = _with(world, ends)
    step = StepUp(world=world, event=Event, token=pair.token, credentials=stamped(pair))
    step._call("challenges", {})


class Event:
    """A second factor that is asked for."""

    mode = ""
    path_segment = "1"


def _with(world, endpoints):
    there = world.environment
    both = {**there.endpoints, **endpoints}
    return replace(world, environment=replace(there, endpoints=both))


def certificate(pair):
    """A connection that shows the client's certificate, or a signature with its key."""
    pair.session._worlds.armed(pair.world(pair.there), stamped(pair))


def keep(pair):
    """A token put into the store for another environment."""
    pair.keeper.adopt(pair.world(pair.there), pair.token, stamped(pair))


def adopt_token(pair):
    """`%token adopt` of a `Token`."""
    pair.session.adopt(pair.there, pair.token)


def adopt_values(pair):
    """`%token adopt` of the same texts in a mapping."""
    pair.session.adopt(pair.there, {"refresh_token": pair.values["refresh_token"]})


def adopt_in_another_session(pair):
    """A `Token` knows its target, whoever holds it."""
    other = Session(environ={}, transport=pair.recorder)
    other.adopt(pair.there, pair.token)


def alias(pair):
    """An alias names tokens of one target only."""
    pair.session.token(pair.there, alias="mine")


def credentials_of_a_variable(pair):
    """`--credentials VAR`, with what the environment names for the other."""
    pair.session.token(pair.there, credentials=pair.mine)


def one_secret_among_others(pair):
    """One secret of the other environment is enough."""
    name = "private_key" if "stet" in pair.there else "client_secret"
    given = {"client_id": "another", name: pair.mine[name]}
    pair.session.token(pair.there, credentials=given, fresh=True)


def credentials_for_an_adopted_token(pair):
    """Nor do they become those of a token that came without any."""
    pair.session.adopt(pair.there, {"refresh_token": "fake-of-there", "expires_in": 0})
    pair.session.token(pair.there, credentials=pair.mine)


def credentials_with_adopt(pair):
    """`%token adopt --credentials VAR`."""
    tokens = {"refresh_token": "fake-of-there"}
    pair.session.adopt(pair.there, tokens, credentials=pair.mine)


def subject_token(pair):
    """A token to exchange is a token, too (RFC 8693)."""
    given = {"subject_token": pair.values["access_token"]}
    pair.session.token(pair.there, credentials=given)


def mixed_credentials(pair):
    """Those of one target do not complete those of another."""
    other = settled(read_credentials({"client_id": "fake-client-of-there"}))
    other = pair.session._holdings.owned(pair.world(pair.there), other)
    other.over(stamped(pair))


def another_world(pair):
    """A world whose environment is not its target's cannot even be made."""
    replace(pair.world(pair.here), target=parse(pair.there))


FLOWS = (
    *(token_request, refresh, api, client, revoke, step_up, certificate, keep),
    *(adopt_token, adopt_values, adopt_in_another_session, alias),
    *(credentials_of_a_variable, one_secret_among_others, mixed_credentials),
    *(credentials_for_an_adopted_token, credentials_with_adopt, subject_token),
    another_world,
)


def test_every_cross_pair_is_refused(figure):
    """A typed refusal for each flow, provider and ordered pair, and nothing is sent."""
    wrong, sent, tried = [], 0, 0
    for flow, provider, (here, there) in itertools.product(FLOWS, TARGETS, PAIRS):
        pair = Pair(provider, here, there)
        before = pair.sent()
        tried += 1
        try:
            flow(pair)
        except EnvironmentRefused as error:
            said = f"{error} {error.hint}"
            held = (*pair.mine.values(), *pair.values.values())
            wrong += [value for value in held if value in said]
        except OAuthMagicError as error:
            wrong.append((flow.__name__, pair.here, pair.there, error))
        else:
            wrong.append((flow.__name__, pair.here, pair.there, "went through"))
        sent += pair.sent() - before

    flows = f"{len(FLOWS)} flows, 3 providers, 6 ordered pairs of environments"
    figure(f"{flows}: cross pairs refused", f"{tried - len(wrong)} of {tried}")
    figure(f"{flows}: requests sent", sent)
    assert wrong == []
    assert (tried, sent) == (342, 0)


@pytest.mark.parametrize("way", ["variables", "file"])
def test_credentials_are_looked_for_under_their_own_name_only(tmp_path, way):
    """Variables and env files name the environment; those of another are not seen."""
    for provider, (here, there) in itertools.product(TARGETS, PAIRS):
        if there == "demo":
            continue  # has its own
        recorder = Recorder()
        variables = variables_of(f"{provider}@{here}")
        file = tmp_path / "of.env"
        lines = [f"{name}='{value}'" for name, value in variables.items()]
        file.write_text("\n".join(lines))
        environ = variables if way == "variables" else {}
        session = Session(environ=environ, transport=recorder)
        expected = MissingCredentials if way == "variables" else CommandError
        if way == "variables" and provider.startswith("stet"):
            expected = OAuthMagicError  # the preflight misses a certificate first
        with pytest.raises(expected):
            session.token(
                f"{provider}@{there}", env_file=file if way == "file" else None
            )
        assert recorder.requests == []


def test_the_same_target_is_let_through():
    """The other half of the matrix: what belongs together is not refused."""
    for provider, name in itertools.product(TARGETS, TYPES):
        pair = Pair(provider, name, name)
        world = pair.world(pair.here)
        world.admit(pair.token)
        world.admit(stamped(pair))
        adopted = settled(read_adopted(pair.token))
        assert adopted.target == pair.here
        assert pair.session.adopt(pair.here, pair.values).target == pair.here


def test_a_secret_that_is_named_for_both_is_nobody_s_mistake():
    """Who gives two environments the same secret, by name, may also give it by hand."""
    environ = variables_of("revsto@sandbox") | {
        "OAUTHMAGIC_REVSTO_PRODUCTION_CLIENT_SECRET": "fake-secret-of-sandbox"
    }
    session = Session(environ=environ, transport=Recorder())

    with pytest.raises(OAuthMagicError) as raised:
        session.token(
            "revsto@sandbox", credentials={"client_secret": "fake-secret-of-sandbox"}
        )

    assert not isinstance(raised.value, EnvironmentRefused)


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1:8080/t", "https://localhost/t", "https://[::1]/t"),
        *("https://127.9.9.9/t", "http://localhost:1/t"),
    ],
)
def test_production_has_no_way_to_this_machine(url):
    """By its type: no endpoint and no API base of production is a loopback address."""
    real = "https://api.acme.example"
    for endpoints in (
        {"token_endpoint": url, "api_base": real},
        {"token_endpoint": real, "api_base": url},
        {"token_endpoint": "", "api_base": real, "endpoints": {"issuer": url}},
        {
            "token_endpoint": real,
            "api_base": real,
            "endpoints": {"revocation_endpoint": url},
        },
    ):
        with pytest.raises(EnvironmentRefused, match="not on this machine"):
            ProductionEnvironment(**endpoints)
        assert SandboxEnvironment(**endpoints).name == "sandbox"


def test_an_environment_keeps_its_type():
    """Also where a tenant and settings are filled in."""
    environment = ProductionEnvironment(
        token_endpoint="https://{tenant}.acme.example/t",
        api_base="https://acme.example/{tenant}",
    )

    assert type(environment.at({"tenant": "17515"})) is ProductionEnvironment


@pytest.mark.parametrize("host", ["acme.example", "127.0.0.1", "localhost", "invalid"])
def test_a_demo_has_no_host_in_the_world(host):
    """Names that end in `.invalid` exist nowhere (RFC 6761, section 6.4)."""
    with pytest.raises(EnvironmentRefused, match="no host in the world"):
        DemoEnvironment(
            token_endpoint=f"https://{host}/t", api_base="https://a.invalid"
        )


def acme():
    """Return a provider with a sandbox on this machine and production elsewhere."""
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    provider = Provider(
        name="acme",
        title="Acme",
        environments={
            "sandbox": SandboxEnvironment(token_endpoint=f"{url}/t", api_base=url),
            "production": ProductionEnvironment(
                token_endpoint="https://id.acme.example/t",
                api_base="https://api.acme.example",
            ),
        },
        grants=("client_credentials", "refresh_token"),
        default_grant="client_credentials",
    )
    return provider, listener, url


def test_a_token_of_production_does_not_reach_a_server_on_this_machine():
    """Over a real socket: not by a path, a URL, a client, a refresh or a redirect."""
    provider, listener, url = acme()
    connections = []

    def accept():
        while True:
            try:
                connections.append(listener.accept())
            except OSError:
                return

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    with Session(environ={}) as session:
        session.add(provider)
        token = session.adopt(
            "acme@production",
            {"access_token": "fake-at", "refresh_token": "fake-rt", "expires_in": 900},
        )
        there = session._worlds.named("acme@sandbox")
        here = session._worlds.named("acme@production")
        request = WireRequest(method="GET", url=f"{url}/x")
        for expected, attempt in (
            (UrlRefused, lambda: session.api("acme@production", f"GET {url}/x")),
            (UrlRefused, lambda: session.client("acme@production").get(f"{url}/x")),
            (
                EnvironmentRefused,
                lambda: send_authorized(
                    request, token, keeper=session._keeper, world=there
                ),
            ),
            (
                UrlRefused,
                lambda: send_authorized(
                    request, token, keeper=session._keeper, world=here
                ),
            ),
            (
                EnvironmentRefused,
                lambda: session._keeper.renew(token, there, reason="x"),
            ),
            (EnvironmentRefused, lambda: session.adopt("acme@sandbox", token)),
        ):
            with pytest.raises(expected):
                attempt()
    listener.close()
    thread.join(3)

    assert connections == []


def test_a_token_of_a_server_on_this_machine_does_not_leave_it():
    """The reverse, with a transport that would carry anything."""
    provider, listener, _ = acme()
    listener.close()
    recorder = Recorder()
    session = Session(environ={}, transport=recorder)
    session.add(provider)
    session.adopt("acme@sandbox", {"access_token": "fake-at", "expires_in": 900})
    url = "https://api.acme.example/x"

    with pytest.raises(UrlRefused):
        session.api("acme@sandbox", f"GET {url}")
    with pytest.raises(UrlRefused):
        session.client("acme@sandbox").get(url)
    with pytest.raises(EnvironmentRefused):
        session.adopt("acme@production", {"access_token": "fake-at"})

    assert recorder.requests == []


BINDER = ("BINDER_LAUNCH_HOST", "BINDER_REPO_URL", "BINDER_REQUEST", "BINDER_REF_URL")
ON_BINDER = {
    "token": lambda session: session.token("revsto@production"),
    "fresh": lambda session: session.token("revsto@production", fresh=True),
    "api": lambda session: session.api("revsto@production", "GET /x"),
    "preview": lambda session: session.preview("revsto@production", "GET /x"),
    "client": lambda session: session.client("revsto@production"),
    "adopt": lambda session: session.adopt(
        "revsto@production", {"access_token": "fake-at"}
    ),
    "refresh": lambda session: session.refresh("revsto@production"),
    "revoke": lambda session: session.revoke("revsto@production"),
    "show": lambda session: session.show("revsto@production"),
    "scopes": lambda session: session.scopes("revsto@production"),
    "preflight": lambda session: session.preflight("stet/17515@production"),
    "resume": lambda session: session.resume("revsto@production", answer="x"),
    "issuer": lambda session: session.add(
        "https://id.acme.example", name="acme@production"
    ),
    "default": lambda session: (
        session.configure(environment="production"),
        session.token("revsto"),
    ),
}


@pytest.mark.parametrize("way", ON_BINDER)
@pytest.mark.parametrize("variable", BINDER)
def test_a_public_binder_has_no_production(way, variable):
    """By whatever of its variables it is known: no prompt, no request, no file."""
    asked = []
    recorder = Recorder()

    def prompt(label, _):
        asked.append(label)
        return "fake-answer"

    environ = {variable: "x"} | variables_of("revsto@production")
    session = Session(environ=environ, prompt=prompt, transport=recorder)

    with pytest.raises(EnvironmentRefused, match="public Binder") as refused:
        ON_BINDER[way](session)

    assert "machine of your own" in refused.value.hint
    assert (asked, recorder.requests) == ([], [])


def test_a_world_says_what_it_is():
    """Its environment is of the type that its target names."""
    session = Session(environ={}, transport=Recorder())
    for name, kind in TYPES.items():
        world = session._worlds.named(f"revsto@{name}")
        assert isinstance(world, World)
        assert type(world.environment) is kind
