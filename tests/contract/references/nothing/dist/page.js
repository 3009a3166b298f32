import { api } from "../convex/_generated/api"
api.a.dist // OK: built
