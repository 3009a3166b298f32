import { httpRouter } from "convex/server";
import { api, internal } from "./_generated/api";
import { httpAction } from "./_generated/server";

const http = httpRouter();

http.route({
  path: "/notes",
  method: "POST",
  handler: httpAction(async (ctx, request) => {
    const text = await request.text();
    console.log("noted", text);
    await ctx.runMutation(internal.notes.add, { text });
    const headers = { "content-type": "text/csv", "x-note": request.headers.get("x-note") ?? "" };
    return new Response(`${new URL(request.url).pathname},${text}`, { status: 201, headers });
  }),
});

http.route({ path: "/who", method: "GET", handler: httpAction(async (ctx) => Response.json(await ctx.runQuery(api.people.subject, {}))) });

http.route({ pathPrefix: "/files/", method: "GET", handler: httpAction(async (_, request) => new Response(request.url)) });

http.route({
  path: "/fail",
  method: "GET",
  handler: httpAction(async () => {
    throw new Error("out of paper");
  }),
});

export default http;
