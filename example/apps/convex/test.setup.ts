import { convexTest } from "convex-test";
import schema from "./schema";

const modules = import.meta.glob("./**/*.{js,ts}");

export const deployment = () => convexTest(schema, modules);
