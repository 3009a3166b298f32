const { ConvexHttpClient } = require("convex/browser")
const convex = new ConvexHttpClient(process.env.CONVEX_URL)
module.exports = (path) => convex.mutation(path, {}) // DYNAMIC:
fetch(`${process.env.CONVEX_URL}/api/query`, { body: JSON.stringify({ path: `sites:${name}` }) }) // DYNAMIC: sites
