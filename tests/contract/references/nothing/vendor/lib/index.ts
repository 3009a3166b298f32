import { api } from "../../convex/_generated/api"
api.vendored.one // OK: vendored
