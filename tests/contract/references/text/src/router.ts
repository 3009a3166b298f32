// Convex answers at /api/query, which nothing here fetches.
export const address = base + "/api/query"
export const routes = [{ path: page }, { path: "/users" }] // OK: pages
