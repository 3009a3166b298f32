import { api } from "../../convex/_generated/api"
export const LIST = "messages:list"
export const NAMES = { page: "messages:page" } as const
export const page = api.a.page // FOUND: member a:page
export const read = { list: api.a.read } // FOUND: member a:read
