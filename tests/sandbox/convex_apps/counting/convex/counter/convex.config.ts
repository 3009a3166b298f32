import { defineComponent } from "convex/server";
import { v } from "convex/values";
import history from "./history/convex.config.js";

const component = defineComponent("counter", { env: { STEP: v.optional(v.string()), UNIT: v.optional(v.string()) } });
component.use(history, { env: { UNIT: component.env.UNIT } });
export default component;
