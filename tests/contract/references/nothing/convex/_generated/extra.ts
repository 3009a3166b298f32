import { api } from "./api"
api.generated.one // OK: generated
