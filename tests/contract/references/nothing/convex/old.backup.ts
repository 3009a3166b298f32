import { api } from "./_generated/api"
api.backup.old // OK: a second dot: never deployed
