import { httpActionGeneric as httpAction, httpRouter } from "convex/server";

const http = httpRouter();
http.route({ path: "/hook", method: "POST", handler: httpAction(async () => new Response("ok")) });
export default http;
