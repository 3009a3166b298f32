export default {
  providers: [
    { domain: process.env.ISSUER, applicationID: "desk" },
    { domain: `${process.env.ISSUER}/gone`, applicationID: "desk" },
    { type: "customJwt", issuer: `${process.env.ISSUER}/custom`, jwks: `${process.env.ISSUER}/jwks`, algorithm: "ES256" },
  ],
};
