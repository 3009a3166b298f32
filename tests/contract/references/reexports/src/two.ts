import { everything as all } from "./lib/index.js"
const { sites } = all
run(sites.list.nine) // FOUND: member sites/list:nine
