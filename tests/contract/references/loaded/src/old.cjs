const { api, internal } = require("../convex/_generated/api.js")
const whole = require("../convex/_generated/api")
run(api.a.seven) // FOUND: member a:seven
run(whole.api.a.eight) // FOUND: member a:eight
