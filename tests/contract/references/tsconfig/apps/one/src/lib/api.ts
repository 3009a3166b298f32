export { remote as api } from "@root/backend"
