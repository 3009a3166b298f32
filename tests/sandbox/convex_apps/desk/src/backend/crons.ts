import { cronJobs } from "convex/server";
import { internal } from "./_generated/api";

const crons = cronJobs();
crons.interval("every hour", { hours: 1 }, internal.notes.add, { text: "by the hour" });
crons.daily("every night", { hourUTC: 2, minuteUTC: 30 }, internal.notes.add, { text: "by night" });
crons.cron("now and then", "15 3 1 */2 MON", internal.notes.add, { text: "now and then" });
export default crons;
