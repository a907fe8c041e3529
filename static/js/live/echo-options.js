/** The options of Echo and pusher-js: the address of the socket, and how channels are authorized. */

/**
 * @param {{key: string, user: string, host: ?string, port: ?number, scheme: ?string}} config the user, and the address of
 *   the socket; what is missing is taken from the page's own address
 * @param {Location} location
 * @param {() => string} csrf returns Django's CSRF token
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
    // A silent network is noticed within eight seconds: five without a message, three for the answer to a ping.
    activityTimeout: 5_000,
    pongTimeout: 3_000,
    ...authorization(config, location, csrf),
  }
}

/**
 * On the page's own host the socket carries the session cookie, so channels need no signature from the server.
 * pusher-js wants to know who joins a presence channel; the server decides that by itself.
 */
function authorization({ host, user }, { hostname }, csrf) {
  if (!host || host === hostname) {
    const answer = { auth: "", channel_data: JSON.stringify({ user_id: user }) }
    const customHandler = (_request, callback) => callback(null, answer)
    return { channelAuthorization: { customHandler } }
  }
  return { authEndpoint: "/broadcasting/auth", auth: { headers: csrfHeaders(csrf) } }
}

/** Headers with the token of the moment, which a sign-in in another tab replaces. Echo sets the second one for good. */
function csrfHeaders(csrf) {
  return {
    get "X-CSRFToken"() {
      return csrf()
    },
    get "X-CSRF-TOKEN"() {
      return csrf()
    },
    set "X-CSRF-TOKEN"(_) {},
  }
}
