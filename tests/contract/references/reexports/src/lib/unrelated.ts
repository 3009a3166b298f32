export const api = { sites: { none: 1 } }
