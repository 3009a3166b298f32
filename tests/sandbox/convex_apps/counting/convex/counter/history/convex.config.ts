import { defineComponent } from "convex/server";
import { v } from "convex/values";

export default defineComponent("history", { env: { UNIT: v.optional(v.string()) } });
