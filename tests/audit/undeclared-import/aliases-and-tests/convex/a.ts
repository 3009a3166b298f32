import { two } from "@/lib"; // OK: an alias
import { one } from "shared"; // OK: an alias
import { two as again } from "src/lib"; // OK: by baseUrl
import { api } from "./_generated/api"; // OK

export const sum = [one, two, again, api];
