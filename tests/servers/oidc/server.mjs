// The OpenID provider `oidc-provider`, as one script that serves itself.
//
// It reads its registrations as one line of JSON from standard input, prints the
// port that it listens on, and ends when its standard input is closed: it never
// outlives the tests. `/api/items` is a protected resource; `/debug/requests` is
// the number of requests for each path.

import { generateKeyPairSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { createInterface } from "node:readline";

// Standard output holds the port alone.
console.log = console.info = console.error;
const { Provider, errors } = await import("oidc-provider");

const lines = createInterface({ input: process.stdin });
lines.once("close", () => process.exit(0));
const [line] = await once(lines, "line");
const registrations = JSON.parse(line);

// The issuer holds the port, so the socket comes first.
const server = createServer();
server.listen(0, "127.0.0.1");
await once(server, "listening");
const { port } = server.address();

const LIFETIME = 300;
const signingKey = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
const GRANT_TYPES = {
  client_credentials: ["client_credentials"],
  device_code: ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
  password: ["password", "refresh_token"],
};

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: registrations.clients.map((client) => ({
    client_id: client.client_id,
    client_secret: client.client_secret,
    grant_types: GRANT_TYPES[client.grant],
    redirect_uris: [],
    response_types: [],
    scope: "openid offline_access api",
    token_endpoint_auth_method: client.token_endpoint_auth_method,
  })),
  cookies: { keys: [randomBytes(16).toString("hex")] },
  features: {
    clientCredentials: { enabled: true },
    // Its own pages: whoever logs in there is let in.
    devInteractions: { enabled: true },
    deviceFlow: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
  },
  findAccount: (ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
  jwks: { keys: [{ ...signingKey.export({ format: "jwk" }), alg: "RS256", use: "sig" }] },
  rotateRefreshToken: true,
  scopes: ["openid", "offline_access", "api"],
  ttl: {
    AccessToken: LIFETIME,
    ClientCredentials: LIFETIME,
    Grant: 86400,
    IdToken: LIFETIME,
    RefreshToken: 86400,
  },
});

// RFC 6749, section 4.3: the way to a refresh token that needs no browser.
async function passwordGrant(ctx) {
  const { client, params } = ctx.oidc;
  const { username, password } = params;
  if (username !== registrations.username || password !== registrations.password) {
    throw new errors.InvalidGrant("user name or password is wrong");
  }
  const allowed = client.scope.split(" ");
  const asked = params.scope?.split(" ") ?? allowed;
  const scope = allowed.filter((name) => asked.includes(name)).join(" ");

  const grant = new provider.Grant({ accountId: username, clientId: client.clientId });
  grant.addOIDCScope(scope);
  const grantId = await grant.save();
  const common = { accountId: username, client, grantId, gty: "password", scope };
  const accessToken = new provider.AccessToken(common);
  ctx.oidc.entity("AccessToken", accessToken);
  ctx.body = {
    access_token: await accessToken.save(),
    expires_in: accessToken.expiration,
    scope,
    token_type: accessToken.tokenType,
  };
  if (scope.split(" ").includes("offline_access")) {
    ctx.body.refresh_token = await new provider.RefreshToken(common).save();
  }
}
provider.registerGrantType("password", passwordGrant, ["username", "password", "scope"]);

// RFC 6750, section 3: what a resource server answers.
async function items(ctx) {
  const challenge = (status, error, more = "") => {
    ctx.status = status;
    ctx.body = { error };
    ctx.set("WWW-Authenticate", `Bearer realm="api", error="${error}"${more}`);
  };
  const [, value] = /^Bearer (\S+)$/i.exec(ctx.get("Authorization")) ?? [];
  if (value === undefined) {
    ctx.status = 401;
    ctx.set("WWW-Authenticate", 'Bearer realm="api"');
    return;
  }
  const token =
    (await provider.AccessToken.find(value)) ??
    (await provider.ClientCredentials.find(value));
  if (!token?.isValid) {
    challenge(401, "invalid_token");
  } else if (!token.scopes.has("api")) {
    challenge(403, "insufficient_scope", ', scope="api"');
  } else {
    ctx.body = registrations.items;
  }
}
provider.use((ctx, next) => (ctx.path === "/api/items" ? items(ctx) : next()));

const counted = new Map();
const answer = provider.callback();
server.on("request", (request, response) => {
  const [path] = request.url.split("?");
  if (path === "/debug/requests") {
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify(Object.fromEntries(counted)));
    return;
  }
  counted.set(path, (counted.get(path) ?? 0) + 1);
  answer(request, response);
});

process.stdout.write(`${port}\n`);
