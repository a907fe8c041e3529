/** Joins the line and the history to the page's one stream, and knows how live the page is. */

import { SIGNED_OUT, stateOf } from "./close-codes.js"
import { Line } from "./connection.js"
import { Stream } from "./event-stream.js"
import { Watch } from "./page-lifecycle.js"

const POLL_MS = 5_000
const REFRESH_MS = 300_000
const SILENCE_MS = 15_000
const SPREAD_MS = 500
const PATIENCE_MS = 1_000
const OWN_CHANGE_MS = 1_000

/**
 * How live a page is. Its `state`:
 *
 * - "connecting": it was just loaded
 * - "connected": it hears everything, and missed nothing
 * - "reconnecting": it hears nothing, and the history does not answer (yet)
 * - "polling": it hears nothing, and asks the history every five seconds
 * - "refused", "off", "busy", "crowded": it does the same, for the server wants no connection; `refusal` has its words
 * - "ended": the person is signed out
 */
export class Live extends EventTarget {
  state = "connecting"
  /** @type {?{code: number, message: string}} why the server wants no connection */
  refusal = null
  stream
  #config
  #world
  #line
  #watch
  #channels = new Set()
  #subscribed = new Set()
  #mayBeRenewed = true
  #caughtUpAt = 0
  #wasSilent = false
  #askedAt = 0
  #heardAt = 0
  #isAboutToAsk = false
  #said = ""

  /**
   * @param {object} page
   * @param {{user: string, channels: string[], cursor: string}} page.config
   * @param {object} page.echo
   * @param {Function} page.fetchHistory
   * @param {Window} [page.world] timers, the time, and what happens to the page
   */
  constructor({ config, echo, fetchHistory, world = globalThis }) {
    super()
    this.#config = config
    this.#world = world
    this.stream = new Stream({ fetchHistory, cursor: config.cursor, clock: world })
    this.#line = new Line(echo, this.#ears(), world)
    const act = { ticked: () => this.#tick(), woke: () => this.#wake(), seen: () => this.#askNow() }
    this.#watch = new Watch(act, world)
    // Before any other channel: where the person is refused, the others are refused for no reason of their own.
    for (const channel of config.channels) this.follow(channel)
  }

  /** Listens to what comes, and watches over the connection. */
  start() {
    this.stream.on("*", () => this.#heard(), { tests: true })
    this.stream.on("stream:caughtup", () => this.#caughtUp())
    this.stream.on("stream:refused", ({ channel, isSignedOut }) => {
      if (isSignedOut) this.#end()
      else this.#refused(channel)
    })
    this.#askedAt = this.#world.Date.now()
    this.#watch.start()
  }

  /** Hears `channel` (its full Pusher name) live, and asks its history. */
  follow(channel) {
    if (this.#channels.has(channel)) return
    this.#channels.add(channel)
    this.stream.follow(channel)
    this.#line.follow(channel)
  }

  /** Asks the history soon, unless something was heard since `moment` (performance.now()): for one's own changes. */
  expect(moment) {
    const wait = this.state === "connected" ? OWN_CHANGE_MS : 0
    this.#world.setTimeout(() => this.#heardAt < moment && this.#ask(), wait)
  }

  // What the line says

  #ears() {
    return {
      heard: (name, data) => this.stream.receive(name, data),
      admitted: (channel) => this.#admitted(channel),
      refused: (channel) => this.#refused(channel),
      broken: () => this.#broken(),
      barred: (closing) => this.#barred(closing),
    }
  }

  /** Mostly the line is back within a second; else the history takes over, though not of all pages in one moment. */
  #broken() {
    this.#subscribed.clear()
    if (this.state !== "connected") return
    this.#become("reconnecting")
    const wait = PATIENCE_MS + this.#random * (POLL_MS - PATIENCE_MS)
    this.#askedAt = this.#world.Date.now() + wait - POLL_MS
  }

  /** Nothing is heard for a while: the history takes over at once. */
  #bridge() {
    if (!this.#isBridged) this.#become("reconnecting")
    this.#askSoon()
  }

  get #isBridged() {
    return this.state !== "connecting" && this.state !== "connected"
  }

  #barred(closing) {
    const isRenewal = closing.code === SIGNED_OUT && this.#mayBeRenewed
    if (!isRenewal) this.refusal = closing
    this.#bridge()
    if (isRenewal) this.#askWhetherSignedIn()
  }

  /** A sign-in that was renewed ends its sockets too; if the history still answers, this page connects anew. */
  async #askWhetherSignedIn() {
    this.#mayBeRenewed = false
    await this.#askNow()
    if (this.state !== "ended") this.#line.connectAnew()
  }

  #admitted(channel) {
    const isAgain = this.#subscribed.has(channel)
    this.#subscribed.add(channel)
    // A second admission on one connection means that what this person may hear of the channel has changed.
    if (isAgain) this.#tell("reset", { reason: "audience", channel })
    this.#goLiveIfAdmitted()
  }

  #refused(channel) {
    if (this.state === "ended" || !this.#channels.delete(channel)) return
    this.#subscribed.delete(channel)
    this.stream.unfollow(channel)
    this.#line.leave(channel)
    if (channel === `private-user.${this.#config.user}`) return this.#end()
    this.#tell("refused", { channel })
    this.#goLiveIfAdmitted()
  }

  get #isAdmitted() {
    return this.#subscribed.size >= this.#channels.size
  }

  async #goLiveIfAdmitted() {
    if (!this.#isAdmitted) return
    await this.#learnWhatWasMissed()
    if (this.#isAdmitted) this.#goLive()
  }

  /** Mostly nothing was, and the line knows that. */
  async #learnWhatWasMissed() {
    const isNothing = await this.stream.recall((question) => this.#line.recall(question))
    if (!isNothing && this.#isAdmitted) await this.#askNow()
  }

  #goLive() {
    this.refusal = null
    this.#mayBeRenewed = true
    this.#become("connected")
  }

  #end() {
    this.#become("ended")
    this.#line.close()
  }

  // What the history says

  #ask() {
    this.#askedAt = this.#world.Date.now()
    return this.stream.catchUp()
  }

  /** Asks also where an earlier question failed and its time has not come again. */
  #askNow() {
    this.stream.hurry()
    return this.#ask()
  }

  #askSoon() {
    if (this.#isAboutToAsk) return
    this.#isAboutToAsk = true
    this.#world.setTimeout(() => {
      this.#isAboutToAsk = false
      this.#askNow()
    }, this.#random * SPREAD_MS)
  }

  get #random() {
    return this.#world.random?.() ?? Math.random()
  }

  #heard() {
    this.#heardAt = this.#world.performance.now()
  }

  #caughtUp() {
    this.#caughtUpAt = this.#world.Date.now()
    this.#followBack()
    if (this.#isBridged && !this.#isAdmitted) this.#become(this.refusal ? stateOf(this.refusal) : "polling")
  }

  /** After a silence an answer means that the server is back: pusher-js would try again in up to a minute. */
  #followBack() {
    if (this.#wasSilent && !this.#isAdmitted && !this.refusal) this.#line.connectAnew()
    this.#wasSilent = false
  }

  // Watching over it

  #tick() {
    const isDue = this.#isOver(this.state === "connected" ? REFRESH_MS : POLL_MS, this.#askedAt)
    if (isDue && this.state !== "ended" && !this.#world.document.hidden) this.#poll()
  }

  #poll() {
    const isSilent = this.state === "connecting" || this.#isOver(SILENCE_MS, this.#caughtUpAt)
    if (this.state !== "connected" && isSilent) {
      this.#wasSilent = true
      this.#become("reconnecting")
    }
    this.#ask()
  }

  /** After sleep or a change of network the old socket may be dead without knowing it. */
  #wake() {
    if (this.state === "ended") return
    this.#askSoon()
    // Whom the server wants no connection with comes back when the line's pause is over.
    if (!this.refusal) this.#line.connectAnew()
  }

  #isOver(ms, since) {
    return this.#world.Date.now() - since >= ms
  }

  #become(state) {
    const said = `${state} ${this.refusal?.code ?? ""}`
    if (this.#said === said || this.state === "ended") return
    this.#said = said
    this.state = state
    this.#tell("state", { state })
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }))
  }
}
