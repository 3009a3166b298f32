// Who a user's token belongs to: the JWTs of the providers that auth.config.ts names, verified by jose.
// Rules, codes and texts: crates/authentication/src/lib.rs and crates/keybroker/src/broker.rs of convex-backend; read 2026-11-22.
import { createRemoteJWKSet, decodeJwt, jwtVerify } from "jose";
import { Refusal } from "./errors.mjs";

const OIDC_ALGORITHMS = ["RS256", "EdDSA"];
const ATTRIBUTES = {
  name: "name",
  given_name: "givenName",
  family_name: "familyName",
  nickname: "nickname",
  preferred_username: "preferredUsername",
  profile: "profileUrl",
  picture: "pictureUrl",
  website: "websiteUrl",
  email: "email",
  email_verified: "emailVerified",
  gender: "gender",
  birthdate: "birthday",
  zoneinfo: "timezone",
  locale: "language",
  phone_number: "phoneNumber",
  phone_number_verified: "phoneNumberVerified",
};
const REGISTERED = ["iss", "sub", "aud", "exp", "iat", "nbf", "jti", "fva"];
/** The key sets of providers, by address: jose keeps each for a while. */
const keySets = new Map();

/** Return the attributes of a token's user, as ctx.auth.getUserIdentity() has them, or refuse the token. */
export async function identify({ token, providers }) {
  const claims = unverified(token);
  const provider = providers.find((one) => matches(one, claims));
  if (!provider) throw new Refusal(401, "NoAuthProvider", noProvider(providers));
  return provider.type === "customJwt" ? await customIdentity(token, provider) : await oidcIdentity(token, claims.iss, provider);
}

function unverified(token) {
  let claims;
  try {
    claims = decodeJwt(token);
  } catch {
    throw badHeader("Could not parse JWT payload. Check that the token is a valid JWT format with three base64-encoded parts separated by dots.");
  }
  if (claims.iss === undefined)
    throw badHeader("Missing issuer claim ('iss') in JWT payload. The JWT must include an 'iss' claim that matches one of your configured auth providers.");
  return claims;
}

function matches(provider, { iss, aud }) {
  const audiences = [aud ?? []].flat();
  return (provider.applicationID === null || audiences.includes(provider.applicationID)) && issuer(provider.issuer ?? provider.domain) === issuer(iss);
}

// Some providers leave out "https://", some add a final slash.
function issuer(text) {
  return (/^https?:\/\//.test(text) ? text : `https://${text}`).replace(/\/+$/, "");
}

function noProvider(providers) {
  if (providers.length === 0) return "No auth provider found matching the given token (no providers configured). Check convex/auth.config.ts.";
  const listed = providers.map((one) => (one.type === "customJwt" ? `CustomJWT(issuer=${one.issuer}, app_id=${one.applicationID ?? "none"})` : `OIDC(domain=${one.domain}, app_id=${one.applicationID})`));
  return `No auth provider found matching the given token. Check that your JWT's issuer and audience match one of your configured providers: [${listed.join(", ")}]`;
}

async function oidcIdentity(token, iss, { applicationID }) {
  const { jwks_uri } = await discovered(iss);
  try {
    const demands = { algorithms: OIDC_ALGORITHMS, issuer: iss, audience: applicationID, requiredClaims: ["sub", "exp", "iat"] };
    const { payload } = await jwtVerify(token, keySet(jwks_uri), demands);
    return standard(payload);
  } catch (error) {
    throw new Refusal(401, "Unauthenticated", `Could not verify OIDC token claim. Check that the token signature is valid and the token hasn't expired. (${error.message})`);
  }
}

async function discovered(iss) {
  try {
    const answer = await fetch(`${iss.replace(/\/+$/, "")}/.well-known/openid-configuration`);
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
    return await answer.json();
  } catch (error) {
    throw new Refusal(400, "AuthProviderDiscoveryFailed", `Auth provider discovery of ${iss} failed: ${error.cause?.message ?? error.message}`);
  }
}

async function customIdentity(token, { jwks, issuer: expected, algorithm, applicationID }) {
  try {
    const demands = { algorithms: [algorithm], audience: applicationID ?? undefined, clockTolerance: 5, requiredClaims: ["sub", "exp"] };
    const { payload } = await jwtVerify(token, keySet(jwks), demands);
    return { ...base(payload), ...flattened(payload) };
  } catch (error) {
    throw badHeader(`Could not validate token of ${expected}: ${error.message}`);
  }
}

function keySet(address) {
  if (!keySets.has(address)) keySets.set(address, createRemoteJWKSet(new URL(address)));
  return keySets.get(address);
}

function base({ iss, sub }) {
  return { tokenIdentifier: `${iss}|${sub}`, issuer: iss, subject: sub };
}

function standard(claims) {
  const known = Object.entries(ATTRIBUTES).filter(([claim]) => claims[claim] !== undefined);
  const others = Object.entries(claims).filter(([claim]) => !(claim in ATTRIBUTES) && !REGISTERED.includes(claim) && !["address", "updated_at"].includes(claim));
  const address = claims.address?.formatted && { address: claims.address.formatted };
  const updated = claims.updated_at !== undefined && { updatedAt: new Date(claims.updated_at * 1000).toISOString() };
  return { ...Object.fromEntries(others), ...Object.fromEntries(known.map(([claim, attribute]) => [attribute, claims[claim]])), ...address, ...updated, ...base(claims) };
}

/** Claims of a custom JWT keep their names; what is inside of an object is called "outer.inner". */
function flattened(claims, prefix = "") {
  const own = Object.entries(claims).filter(([name]) => prefix !== "" || !REGISTERED.includes(name));
  const parts = own.map(([name, value]) => (value !== null && typeof value === "object" && !Array.isArray(value) ? flattened(value, `${prefix}${name}.`) : { [prefix + name]: value }));
  return Object.assign({}, ...parts);
}

function badHeader(text) {
  return new Refusal(401, "InvalidAuthHeader", text);
}
