import { api } from "../../convex/_generated/api"
api.a.kept // FOUND: member a:kept
