"use node";
import { streamText } from "ai"; // OK
export { parse } from "@ai-sdk/provider/dist"; // NOT OK: brought by ai

export async function late() {
  const { default: dayjs } = await import("dayjs"); // NOT OK: nobody declares it
  return [streamText, dayjs];
}
