import { defineApp } from "convex/server";
import { v } from "convex/values";
import counter from "./counter/convex.config.js";

const app = defineApp({ env: { STEP: v.optional(v.string()) } });
app.use(counter, { env: { STEP: app.env.STEP, UNIT: "visits" } });
app.use(counter, { name: "another" });
export default app;
