const { makeFunctionReference } = require("convex/server")
const list = makeFunctionReference("messages:required") // FOUND: makeFunctionReference messages:required
