import { httpRouter } from "convex/server";
import { api } from "./_generated/api";
import { httpAction } from "./_generated/server";

const http = httpRouter();
http.route({ path: "/ping", method: "POST", handler: httpAction(async (ctx) => new Response(`${await ctx.runMutation(api.pings.ping, {})} at ${process.env.CONVEX_SITE_URL}`)) });
export default http;
