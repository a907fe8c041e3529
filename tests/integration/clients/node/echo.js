/** The real laravel-echo on the real pusher-js, with a person's cookies; a line of JSON on stdin is a command. */

import "./jar.js"

import Echo from "laravel-echo"
import Pusher from "pusher-js"

import { at, obey, options, server, tell, watch } from "./tell.js"

const echo = new Echo({
  ...server,
  Pusher,
  broadcaster: "reverb",
  key: "tikm",
  authEndpoint: at("/broadcasting/auth"),
  csrfToken: options.csrf,
})
watch(echo.connector.pusher)

obey({
  listen({ channel, event }) {
    follow(echo.private(channel), channel).listen(event, (data) => tell("event", { channel, event, data }))
  },
  join({ channel }) {
    follow(echo.join(channel), channel)
      .here((people) => tell("here", { channel, people: names(people) }))
      .joining((person) => tell("joining", { channel, name: person.name }))
      .leaving((person) => tell("leaving", { channel, name: person.name }))
  },
  hear({ channel, event }) {
    echo.private(channel).listenForWhisper(event, (data) => tell("whisper", { channel, event, data }))
  },
  whisper({ channel, event, data }) {
    echo.private(channel).whisper(event, data)
  },
  leave({ channel }) {
    echo.leave(channel)
  },
})

function follow(subscription, channel) {
  return subscription
    .subscribed(() => tell("subscribed", { channel }))
    .error(({ status }) => tell("refused", { channel, status }))
}

function names(people) {
  return people.map(({ name }) => name).sort()
}
