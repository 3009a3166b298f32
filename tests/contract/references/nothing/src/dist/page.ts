import { api } from "../../convex/_generated/api"
api.a.dist // FOUND: member a:dist
