import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export default defineSchema({ entries: defineTable({ name: v.string(), text: v.string() }) });
