export { api as upstream } from "~convex/_generated/api"
