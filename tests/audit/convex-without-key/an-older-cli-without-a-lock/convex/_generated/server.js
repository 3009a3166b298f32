export { queryGeneric as query } from "convex/server";
