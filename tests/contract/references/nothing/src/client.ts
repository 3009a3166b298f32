export const api = { users: { get() {} } }
