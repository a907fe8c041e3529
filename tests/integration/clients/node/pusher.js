/** The real pusher-js, with or without a person's cookies: it obeys, and ends when it has nothing more to do. */

import "./jar.js"

import Pusher from "pusher-js"

import { at, obey, options, server, tell, watch } from "./tell.js"

const headers = { "X-CSRFToken": options.csrf ?? "" }
const pusher = new Pusher(options.key ?? "tikm", {
  ...server,
  cluster: "",
  channelAuthorization: { endpoint: at("/broadcasting/auth"), headers },
  userAuthentication: { endpoint: at("/broadcasting/user-auth"), headers },
  ...options.pusher,
})
watch(pusher)

obey({
  subscribe({ channel }) {
    pusher.subscribe(channel).bind_global((event, data) => tell("event", { channel, event, data }))
  },
  trigger({ channel, event, data }) {
    pusher.channel(channel).trigger(event, data)
  },
  signin() {
    pusher.user.bind_global((event, data) => tell("user", { event, data }))
    pusher.user.watchlist.bind_global((event, { user_ids: people }) => tell("watched", { event, people }))
    pusher.signin()
  },
})
