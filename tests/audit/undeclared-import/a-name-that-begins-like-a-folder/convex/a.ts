import { filter } from 'convex-helpers/server/filter' // NOT OK: no folder of that name
import { one } from 'convex/lib/one'
