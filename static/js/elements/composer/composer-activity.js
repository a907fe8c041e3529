/**
 * <composer-activity data-channel [data-presence]>: shows above the composer who is writing at this moment, and announces
 * what this user does: replies to everyone on the ticket, notes to its staff only.
 */

import { Announcer } from "../../lib/announcer.js"
import { config } from "../../lib/page-config.js"
import { onLeave, signalOf } from "../../lib/page-parts/lifetime.js"
import { OwnActivity } from "../../lib/presence/own-activity.js"
import { Typists } from "../../lib/presence/typists.js"
import { clone } from "../../lib/template.js"
import { live } from "../../live/index.js"

const MAX_NAMES = 2
const SIGNS_OF_LIFE = ["pointermove", "pointerdown", "keydown", "scroll"]

class ComposerActivity extends HTMLElement {
  #own = new OwnActivity({ send: (event) => this.#send(event) })
  #typists = new Typists({ onChange: () => this.#show() })
  #announcer
  /** Colleagues by id: their typing is shown as their activity, which also knows of notes. */
  #colleagues = new Map()

  connectedCallback() {
    this.#announcer = new Announcer(this.querySelector("[role=status]"))
    const signal = signalOf(this)
    const onState = ({ detail }) => detail.state === "connected" || this.#typists.clear()
    live.stream.on("client-typing", ({ user }) => this.#onTyping(user), { signal })
    live.stream.on("ticket.reply.created", ({ reply }) => this.#typists.remove(reply.user.name), { signal })
    live.addEventListener("state", onState, { signal })
    this.#watchComposer(this.closest("ticket-page"))
    onLeave(this, () => this.#own.leave())
    signal.addEventListener("abort", () => this.#typists.clear())
    if (this.dataset.presence) this.#watchPresence(this.closest("ticket-page"), signal)
  }

  #watchComposer(page) {
    page.addEventListener("input", ({ target }) => target.name === "message" && this.#onInput(target))
    page.addEventListener("live-form:sent", ({ target }) => target.matches(".composer") && this.#own.stop())
  }

  #watchPresence(page, signal) {
    page.addEventListener("ticket-presence:joined", () => this.#own.announce())
    page.addEventListener("ticket-presence:visited", () => this.#own.answer())
    page.addEventListener("ticket-presence:changed", ({ detail }) => this.#onColleagues(detail.colleagues))
    for (const name of SIGNS_OF_LIFE) addEventListener(name, () => this.#own.use(), { passive: true, signal })
    document.addEventListener("visibilitychange", () => document.hidden || this.#own.use(), { signal })
  }

  #onInput({ value, form }) {
    if (value) this.#own.typed({ isNote: form.elements.internal?.value === "on" })
    else this.#own.stop()
  }

  /** Customers have no presence channel, and are not announced there. */
  #send(event) {
    if (event === "typing") live.sendClientEvent(this.dataset.channel, "client-typing")
    else if (this.dataset.presence) live.sendClientEvent(this.dataset.presence, `client-${event}`)
  }

  #onTyping(user) {
    if (user.id !== config.user && !this.#colleagues.has(user.id)) this.#typists.add(user.name)
  }

  #onColleagues(colleagues) {
    this.#colleagues = new Map(colleagues.map((colleague) => [colleague.id, colleague]))
    this.#show()
  }

  #show() {
    const busy = [...this.#colleagues.values()]
    const parts = [
      ...sentences("writing", this.#typists.names),
      ...sentences(
        "replying",
        busy.filter(({ activity }) => activity === "replying").map(({ name }) => name),
      ),
    ]
    const line = this.querySelector(".composer-activity")
    line.replaceChildren(...parts)
    line.hidden = parts.length === 0
    this.#announcer.announce(parts.map(({ textContent }) => textContent).join(" "))
  }
}

/** Returns a sentence for each name, or one for all if there are too many. */
function sentences(kind, names) {
  if (names.length > MAX_NAMES) return [clone(`several-${kind}`, {})]
  return names.map((name) => clone(`one-${kind}`, { name }))
}

customElements.define("composer-activity", ComposerActivity)
