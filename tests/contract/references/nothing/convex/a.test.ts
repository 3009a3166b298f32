import { internal } from "./_generated/api"
internal.tests.one // OK: never deployed
