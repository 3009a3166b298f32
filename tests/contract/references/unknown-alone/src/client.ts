import { make } from "./make"
export const read = (name: string, convex: ConvexHttpClient) => convex.query(name) // DYNAMIC:
