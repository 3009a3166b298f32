import { z } from "zod"; // OK: said once
export const name = z.string();
