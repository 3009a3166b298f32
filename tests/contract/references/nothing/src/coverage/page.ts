import { api } from "../../convex/_generated/api"
api.a.coverage // FOUND: member a:coverage
