import { api } from "../convex/_generated/api"

run(api.a.before) // FOUND: member a:before
function unfinished( {
  run(api.a.inside // FOUND: member a:inside
}
const = ;
run(api.a.after) // FOUND: member a:after
