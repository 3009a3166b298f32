export { api, internal as secret } from "../convex/_generated/api"
