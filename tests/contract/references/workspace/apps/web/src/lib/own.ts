export { tasks as jobs } from "@acme/backend/hooks"
