import { api } from "../convex/_generated/api"
interface Box<in out T> { value: T }
run(api.a.variance) // FOUND: member a:variance
