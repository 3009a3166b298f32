import { defineApp } from "convex/server";
import pinger from "./pinger/convex.config.js";

const app = defineApp();
app.use(pinger, { httpPrefix: "/pinger/" });
export default app;
