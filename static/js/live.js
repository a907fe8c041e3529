/** Joins the socket (Echo, pusher-js) and the history to the page's one stream, and knows whether the page is live. */

import Echo from "laravel-echo"
import { config, csrfToken } from "./page.js"
import { Stream } from "./stream.js"

const POLL_MS = 5_000
const REFRESH_MS = 300_000
const SLEEP_MS = 30_000
const SIGNED_OUT = 4009
const OWN_CHANNEL = `private-user.${config.user}`

/** The state of a page: "connecting", "connected", "reconnecting", "polling" or "ended". */
class Live extends EventTarget {
  state = "connecting"
  stream = new Stream({ fetchHistory, cursor: config.cursor })
  #echo = new Echo(echoOptions())
  #channels = new Set()
  #subscribed = new Set()
  #caughtUpAt = 0
  #heardAt = 0
  #tickedAt = Date.now()

  /** Connects, follows the person's own channels, and watches over the connection. */
  start() {
    const { connection } = this.#echo.connector.pusher
    connection.bind("state_change", ({ current }) => this.#changed(current))
    connection.bind("error", (error) => this.#failed(error))
    this.stream.on("*", () => this.#heard(), { tests: true })
    this.stream.on("stream:caughtup", () => this.#caughtUp())
    this.stream.on("stream:refused", ({ channel }) => this.#refused(channel))
    for (const channel of config.channels) this.follow(channel)
    this.#watch()
  }

  /** Hears `channel` (its full Pusher name) live, and asks its history. */
  follow(channel) {
    if (this.#channels.has(channel)) return
    this.#channels.add(channel)
    this.stream.follow(channel)
    this.#echo
      .private(channel.replace(/^private-/, ""))
      .listenToAll((name, data) => this.stream.receive(name.replace(/^\./, ""), data))
      .subscribed(() => this.#admitted(channel))
      .error((problem) => problem?.status === 403 && this.#refused(channel))
  }

  /** Asks the history soon, unless something was heard since `moment` (performance.now()): for one's own changes. */
  expect(moment) {
    const wait = this.state === "connected" ? 1000 : 0
    setTimeout(() => this.#heardAt < moment && this.stream.catchUp(), wait)
  }

  // What the socket says

  #changed(current) {
    if (current === "connected") return
    this.#subscribed.clear()
    if (this.state === "connected") this.#become("reconnecting")
  }

  #failed(error) {
    const code = error?.data?.code ?? error?.error?.data?.code
    if (code === SIGNED_OUT && this.state === "connected") this.#askWhetherSignedIn()
  }

  /** A sign-in that was renewed ends its sockets too; if the history still answers, this page connects anew. */
  async #askWhetherSignedIn() {
    this.#become("reconnecting")
    await this.stream.catchUp()
    if (this.#channels.has(OWN_CHANNEL)) this.#connectAnew()
  }

  #admitted(channel) {
    const isAgain = this.#subscribed.has(channel)
    this.#subscribed.add(channel)
    // A second admission on one connection means that what this person may hear of the channel has changed.
    if (isAgain) this.#tell("reset", { reason: "audience", channel })
    this.#goLiveIfAdmitted()
  }

  #refused(channel) {
    if (!this.#channels.delete(channel)) return
    this.#subscribed.delete(channel)
    this.stream.unfollow(channel)
    this.#echo.leave(channel.replace(/^private-/, ""))
    this.#tell("refused", { channel })
    if (channel === OWN_CHANNEL) this.#become("ended")
    else this.#goLiveIfAdmitted()
  }

  get #isAdmitted() {
    return this.#subscribed.size >= this.#channels.size
  }

  async #goLiveIfAdmitted() {
    if (!this.#isAdmitted) return
    await this.stream.catchUp()
    if (this.#isAdmitted) this.#become("connected")
  }

  // What the history says

  #heard() {
    this.#heardAt = performance.now()
  }

  #caughtUp() {
    this.#caughtUpAt = Date.now()
    if (this.state === "reconnecting") this.#become("polling")
  }

  // Watching over it

  #watch() {
    setInterval(() => this.#tick(), POLL_MS)
    addEventListener("online", () => this.#wake())
    addEventListener("pageshow", (event) => event.persisted && this.#wake())
    document.addEventListener("visibilitychange", () => document.hidden || this.stream.catchUp())
  }

  #tick() {
    const now = Date.now()
    const wasAsleep = !document.hidden && now - this.#tickedAt > SLEEP_MS
    this.#tickedAt = now
    if (this.state === "ended") return
    if (wasAsleep) this.#wake()
    else if (this.#isDue(now)) this.#poll()
  }

  #isDue(now) {
    const period = this.state === "connected" ? REFRESH_MS : POLL_MS
    return now - this.#caughtUpAt >= period && !document.hidden
  }

  #poll() {
    if (this.state === "connecting") this.#become("reconnecting")
    this.stream.catchUp()
  }

  /** After sleep or a change of network the old socket may be dead without knowing it. */
  #wake() {
    this.stream.catchUp()
    if (this.state !== "ended") this.#connectAnew()
  }

  #connectAnew() {
    this.#echo.connector.pusher.disconnect()
    this.#echo.connector.pusher.connect()
  }

  #become(state) {
    if (this.state === state || this.state === "ended") return
    this.state = state
    this.#tell("state", { state })
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }))
  }
}

function echoOptions() {
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
    ...authorization(),
  }
}

/** On our own host the socket carries the session cookie, so no request has to ask for a signature. */
function authorization() {
  if (!config.host || config.host === location.hostname) {
    const customHandler = (_request, callback) => callback(null, { auth: "" })
    return { channelAuthorization: { customHandler } }
  }
  return { authEndpoint: "/broadcasting/auth", auth: { headers: { "X-CSRFToken": csrfToken() } } }
}

async function fetchHistory({ since, channels }) {
  const query = new URLSearchParams(channels.map((channel) => ["channel", channel]))
  if (since) query.set("since", since)
  const response = await fetch(`/broadcasting/history?${query}`, { headers: { Accept: "application/json" } })
  const body = await response.json()
  if (response.ok) return body
  const retryAfter = Number(response.headers.get("Retry-After"))
  throw Object.assign(new Error(body.detail), { status: response.status, refused: body.refused, retryAfter })
}

export const live = new Live()
