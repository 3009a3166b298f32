const api = convex.anyApi;
const client = new convex.ConvexClient(CONVEX_URL);
client.onUpdate(api.a.one, {}, show); // FOUND: member a:one
// convex.anyApi.a.none
client.query(convex.anyApi.a.two); // FOUND: member a:two
client.mutation("a:three"); // FOUND: string a:three
