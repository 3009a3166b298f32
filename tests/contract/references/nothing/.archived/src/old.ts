import { api } from "../../convex/_generated/api"
api.archived.old // OK: an archive
