/** Before the specs run: what they look for at Pusher and on fixed ports is at our servers, also by TLS. */

import { readFileSync } from "node:fs"
import net from "node:net"
import tls from "node:tls"

const { mt1, eu, certificate } = JSON.parse(process.env.ELSEWHERE)
const pem = readFileSync(certificate)

const places = {
  "ws-mt1.pusher.com:80": mt1,
  "ws-mt1.pusher.com:443": await securely(mt1),
  "localhost:3000": mt1,
  "ws-eu.pusher.com:80": eu,
  "ws-eu.pusher.com:443": await securely(eu),
  "localhost:3001": eu,
}

const { connect } = net.Socket.prototype
net.Socket.prototype.connect = function (...args) {
  // Node hands on its normalised arguments as one array.
  const where = Array.isArray(args[0]) ? args[0][0] : args[0]
  const port = places[`${where.host}:${where.port}`]
  if (port) Object.assign(where, { host: "127.0.0.1", port })
  return connect.apply(this, args)
}

/** Returns a port that takes TLS for one that does not. */
function securely(port) {
  const server = tls.createServer({ key: pem, cert: pem }, (client) => {
    const upstream = net.connect(port, "127.0.0.1")
    client.pipe(upstream).pipe(client)
    client.on("error", () => upstream.destroy())
    upstream.on("error", () => client.destroy())
  })
  server.unref()
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server.address().port)))
}
