/** The real pusher-js in the hands of another program, whose own back end signs for it with the app's secret. */

import { createInterface } from "node:readline"

import Backend from "pusher"
import Pusher from "pusher-js"

import { options, report, server, watch } from "./reporting.js"

const { user, secret } = options
const backend = new Backend({ appId: "1", key: "tikm", secret })
const answer = (sign) => (asked, callback) => callback(null, sign(asked))

const pusher = new Pusher("tikm", {
  ...server,
  cluster: "",
  channelAuthorization: {
    customHandler: answer(({ socketId, channelName }) =>
      backend.authorizeChannel(socketId, channelName, { user_id: user }),
    ),
  },
  userAuthentication: {
    customHandler: answer(({ socketId }) => backend.authenticateUser(socketId, { id: user })),
  },
})
watch(pusher)

const commands = {
  subscribe({ channel }) {
    pusher
      .subscribe(channel)
      .bind("pusher:subscription_succeeded", () => report("subscribed", { channel }))
      .bind("pusher:subscription_error", ({ status }) => report("refused", { channel, status }))
  },
  whisper({ channel, event, data }) {
    pusher.channel(channel).trigger(event, data)
  },
  signin() {
    pusher.signin()
  },
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const command = JSON.parse(line)
  commands[command.do](command)
})
