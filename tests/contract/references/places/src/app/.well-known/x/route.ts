import { api } from "../../../../convex/_generated/api"
run(api.a.known) // FOUND: member a:known
