import { server, sites, whole, everything, hopped, other, listed } from "./lib"
import * as lib from "./lib"
import anything from "./lib/backend"

run(server.sites.list.one) // FOUND: member sites/list:one
run(sites.list.two) // FOUND: member sites/list:two
run(whole.sites.list.three) // FOUND: member sites/list:three
run(everything.server.sites.list.four) // FOUND: member sites/list:four
run(hopped.sites.list.five) // FOUND: member sites/list:five
run(lib.hopped.sites.list.six) // FOUND: member sites/list:six
run(anything.sites.list.seven) // FOUND: member sites/list:seven
run(listed.eight) // FOUND: member sites/list:eight
other.sites.none // OK: another api
