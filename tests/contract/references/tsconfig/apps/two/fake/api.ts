export const api = { a: { none: 1 } }
