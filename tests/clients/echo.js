/** The real laravel-echo on the real pusher-js, with a person's cookies; a line of JSON on stdin is a command. */

import http from "node:http"
import { createInterface } from "node:readline"

import Echo from "laravel-echo"
import Pusher from "pusher-js"

import { options, server, tell, watch } from "./tell.js"

keepCookies()

const echo = new Echo({
  ...server,
  Pusher,
  broadcaster: "reverb",
  key: "tikm",
  authEndpoint: `http://127.0.0.1:${options.port}/broadcasting/auth`,
  csrfToken: options.csrf,
})
watch(echo.connector.pusher)

const commands = {
  listen({ channel, event }) {
    echo
      .private(channel)
      .subscribed(() => tell("subscribed", { channel }))
      .error(({ status }) => tell("refused", { channel, status }))
      .listen(event, (data) => tell("event", { channel, event, data }))
  },
  leave({ channel }) {
    echo.leave(channel)
  },
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const command = JSON.parse(line)
  commands[command.do](command)
})

/** Adds the person's cookies to HTTP requests as a browser does; Node has no jar, and pusher-js may not set them. */
function keepCookies() {
  const { request } = http
  http.request = (target, ...more) =>
    request({ ...target, headers: { ...target.headers, Cookie: options.cookies } }, ...more)
}
