import { api } from "../../convex/_generated/api"
api.a.vendor // FOUND: member a:vendor
