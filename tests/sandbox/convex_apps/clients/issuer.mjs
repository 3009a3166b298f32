// An issuer of JWTs on loopback: OIDC discovery, a key set, and tokens for whoever asks (POST /token with {alg, claims}).
import { createServer } from "node:http";
import { SignJWT, exportJWK, generateKeyPair } from "jose";

const keys = new Map();
for (const alg of ["RS256", "ES256"]) keys.set(alg, await generateKeyPair(alg));
const stranger = await generateKeyPair("RS256");
const jwks = async () => ({ keys: await Promise.all([...keys].map(async ([alg, { publicKey }]) => ({ ...(await exportJWK(publicKey)), kid: alg, alg, use: "sig" }))) });
const server = createServer(async (request, response) => {
  let body = "";
  for await (const chunk of request) body += chunk;
  const answers = {
    "/.well-known/openid-configuration": async () => ({ issuer: url, jwks_uri: `${url}/jwks` }),
    "/jwks": jwks,
    "/token": async () => {
      const { alg, forged, claims } = JSON.parse(body);
      const { privateKey } = forged ? stranger : keys.get(alg);
      return await new SignJWT(claims).setProtectedHeader({ alg, kid: alg, typ: "JWT" }).sign(privateKey);
    },
  };
  const answer = answers[request.url];
  response.writeHead(answer ? 200 : 404, { "content-type": "application/json" }).end(JSON.stringify(answer ? await answer() : null));
});
let url;
server.listen(0, "127.0.0.1", () => {
  url = `http://127.0.0.1:${server.address().port}`;
  console.log(url);
});
process.stdin.resume().on("end", () => process.exit(0));
