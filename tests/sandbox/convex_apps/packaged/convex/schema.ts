import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export default defineSchema({
  letters: defineTable({ to: v.string(), state: v.optional(v.string()) }),
});
