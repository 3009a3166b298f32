export { api as remote } from "$api"
