import { api } from "./convex/_generated/api"
run(api.a.absent) // FOUND: member a:absent
