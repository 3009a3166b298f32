import { vec } from "gl-matrix"; // OK: a folder of geometry, no backend
export const hull = vec;
