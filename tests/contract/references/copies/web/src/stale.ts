import { api } from "../convex/_generated/api"
run(api.a.stale) // FOUND: member a:stale
