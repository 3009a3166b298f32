import { internal } from "./_generated/api"
run(internal.waitlist.own) // OK: the component's own
