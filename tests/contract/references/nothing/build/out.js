import { api } from "../convex/_generated/api"
api.built.one // OK: built
