import { api } from "../convex/_generated/api.js"
export const tasks = api.tasks
