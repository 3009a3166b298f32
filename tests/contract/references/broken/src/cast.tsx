import { api } from "../convex/_generated/api"
const cast = (<any>api).a.cast // DYNAMIC:
const { a: { taken } } = api // DYNAMIC:
useQuery(which ? api.a.lost : "skip") // FOUND: member a:lost
// api.a.comment
