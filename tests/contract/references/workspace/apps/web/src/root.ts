import * as backend from "@acme/backend"
run(backend.api.sites.ten) // FOUND: member sites:ten
run(backend.secret.sites.eleven) // FOUND: internal member sites:eleven
