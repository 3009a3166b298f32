import axios from "axios"
import { api as rest } from "./client"
const api = axios.create({ baseURL: "/convex/" })
api.users.list() // OK: another api
rest.users.get() // OK: another api
