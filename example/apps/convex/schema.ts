import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export const severity = v.union(v.literal("low"), v.literal("medium"), v.literal("high"));

export default defineSchema({
  companies: defineTable({ name: v.string() }).index("by_name", ["name"]),

  sites: defineTable({
    company_id: v.id("companies"),
    name: v.string(),
  }).index("by_company", ["company_id", "name"]),

  participants: defineTable({
    site_id: v.id("sites"),
    name: v.string(),
  }).index("by_site", ["site_id", "name"]),

  incidents: defineTable({
    company_id: v.id("companies"),
    // Absent in incidents that are older than sites, until migrations:backfillIncidentSites has run.
    site_id: v.optional(v.id("sites")),
    participant_id: v.id("participants"),
    severity,
    description: v.string(),
    reported_at: v.number(),
  })
    .index("by_company", ["company_id", "reported_at"])
    .index("by_company_and_site", ["company_id", "site_id", "reported_at"])
    .index("by_site", ["site_id"]),
});
