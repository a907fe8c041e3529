// An OpenID Connect provider on loopback: `oidc-provider`, with the client, the people and the key of its argument.
// Prints its address. Its sign-in page takes any of the people with any password; PUT /people replaces them.

import { createServer } from "node:http"
import { Provider } from "oidc-provider"

const { client, people, key } = JSON.parse(process.argv[2])
const server = createServer().listen(0, "127.0.0.1")
await new Promise((resolve) => server.once("listening", resolve))
const issuer = `http://127.0.0.1:${server.address().port}`

const provider = new Provider(issuer, {
  clients: [client],
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "groups"] },
  cookies: { keys: ["test"] },
  // Its own refuses addresses of loopback.
  fetch: (url, options) => fetch(url, { ...options, dispatcher: undefined }),
  features: { backchannelLogout: { enabled: true } },
  findAccount: (_, sub) => people[sub] && { accountId: sub, claims: () => ({ sub, ...people[sub] }) },
  jwks: { keys: [key] },
})

provider.use(async (context, next) => {
  if (context.path !== "/people") return next()
  const parts = []
  for await (const part of context.req) parts.push(part)
  for (const sub of Object.keys(people)) delete people[sub]
  Object.assign(people, JSON.parse(Buffer.concat(parts)))
  context.status = 204
})

provider.on("backchannel.error", (_, error) => console.error(error))
server.on("request", provider.callback())
console.log(issuer)
