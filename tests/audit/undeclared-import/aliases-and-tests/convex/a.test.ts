import { convexTest } from "convex-test"; // OK: not deployed
export const t = convexTest;
