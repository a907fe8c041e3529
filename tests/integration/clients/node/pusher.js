/** The real pusher-js, with or without a user's cookies; it takes commands, and exits when it is idle for good. */

import "./cookies.js"

import Pusher from "pusher-js"

import { at, onCommands, options, report, server, watch } from "./reporting.js"

const headers = { "X-CSRFToken": options.csrf ?? "" }
const pusher = new Pusher(options.key ?? "tikm", {
  ...server,
  cluster: "",
  channelAuthorization: { endpoint: at("/broadcasting/auth"), headers },
  userAuthentication: { endpoint: at("/broadcasting/user-auth"), headers },
  ...options.pusher,
})
watch(pusher)

onCommands({
  subscribe({ channel }) {
    pusher.subscribe(channel).bind_global((event, data) => report("event", { channel, event, data }))
  },
  trigger({ channel, event, data }) {
    pusher.channel(channel).trigger(event, data)
  },
  signin() {
    pusher.user.bind_global((event, data) => report("user", { event, data }))
    pusher.user.watchlist.bind_global((event, { user_ids: people }) => report("watched", { event, people }))
    pusher.signin()
  },
})
