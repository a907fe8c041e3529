/** What Echo and pusher-js are told: where the socket is, and how a channel is asked for. */

/**
 * @param {{key: string, host: ?string, port: ?number, scheme: ?string}} config where the server says that the socket
 *   is; what it leaves out is as the page's own address has it
 * @param {Location} location
 * @param {string} csrf the token that Django wants
 */
export function echoOptions(config, location, csrf) {
  const scheme = config.scheme || location.protocol.replace(":", "")
  const port = config.port || Number(location.port) || (scheme === "https" ? 443 : 80)
  return {
    broadcaster: "reverb",
    key: config.key,
    wsHost: config.host || location.hostname,
    wsPort: port,
    wssPort: port,
    forceTLS: scheme === "https",
    enabledTransports: ["ws", "wss"],
    ...authorization(config, location, csrf),
  }
}

/** On our own host the socket carries the session cookie, so no request has to ask for a signature. */
function authorization({ host }, { hostname }, csrf) {
  if (!host || host === hostname) {
    const customHandler = (_request, callback) => callback(null, { auth: "" })
    return { channelAuthorization: { customHandler } }
  }
  return { authEndpoint: "/broadcasting/auth", auth: { headers: { "X-CSRFToken": csrf } } }
}
