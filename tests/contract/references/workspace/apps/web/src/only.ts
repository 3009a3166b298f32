import { api } from "#api"
run(api.sites.nine) // FOUND: member sites:nine
