npx convex run users:seed # FOUND: internal run users:seed in packages/admin/convex
