import { api } from "../../convex/_generated/api"
run(api.a.server) // FOUND: member a:server
