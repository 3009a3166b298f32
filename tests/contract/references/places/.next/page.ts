import { api } from "../convex/_generated/api"
run(api.a.built) // OK: built
