/** The real laravel-echo on the real pusher-js, with a user's cookies; a line of JSON on stdin is a command. */

import "./cookies.js"

import Echo from "laravel-echo"
import Pusher from "pusher-js"

import { at, onCommands, options, report, server, watch } from "./reporting.js"

const echo = new Echo({
  ...server,
  Pusher,
  broadcaster: "reverb",
  key: "tikm",
  authEndpoint: at("/broadcasting/auth"),
  csrfToken: options.csrf,
})
watch(echo.connector.pusher)

onCommands({
  listen({ channel, event }) {
    follow(echo.private(channel), channel).listen(event, (data) => report("event", { channel, event, data }))
  },
  join({ channel }) {
    follow(echo.join(channel), channel)
      .here((people) => report("here", { channel, people: names(people) }))
      .joining((person) => report("joining", { channel, name: person.name }))
      .leaving((person) => report("leaving", { channel, name: person.name }))
  },
  listenForWhisper({ channel, event }) {
    echo.private(channel).listenForWhisper(event, (data) => report("whisper", { channel, event, data }))
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
    .subscribed(() => report("subscribed", { channel }))
    .error(({ status }) => report("refused", { channel, status }))
}

function names(people) {
  return people.map(({ name }) => name).sort()
}
