const { hopped } = await import("./lib")
run(hopped.sites.list.ten) // FOUND: member sites/list:ten
