/** <ticket-presence data-channel>: shows which colleagues have the ticket open, and what they are doing. */

import { Announcer } from "../../lib/announcer.js"
import { config } from "../../lib/page-config.js"
import { signalOf } from "../../lib/page-parts/lifetime.js"
import { Colleagues } from "../../lib/presence/colleagues.js"
import { clone } from "../../lib/template.js"
import { live } from "../../live/index.js"

/**
 * Dispatches "ticket-presence:joined" at each subscription, "ticket-presence:visited" when a colleague announces that
 * they are viewing, and "ticket-presence:changed" {colleagues}.
 */
class TicketPresence extends HTMLElement {
  #announcer
  #colleagues

  connectedCallback() {
    this.#announcer = new Announcer(this.querySelector("[role=status]"))
    this.#colleagues = new Colleagues({ self: config.user, onChange: (all) => this.#show(all) })
    live.join(this.dataset.channel, {
      onMembers: (members) => this.#onMembers(members),
      onJoined: (member) => this.#colleagues.add(member),
      onLeft: (member) => this.#colleagues.remove(member),
      onEvent: (name, data) => this.#onEvent(name, data),
    })
    // Without a connection this is what was true before.
    const signal = signalOf(this)
    live.addEventListener(
      "state",
      ({ detail }) => this.toggleAttribute("data-stale", detail.state !== "connected"),
      { signal },
    )
    signal.addEventListener("abort", () => {
      live.leave(this.dataset.channel)
      this.#colleagues.set([]) // their timers end
    })
  }

  #onMembers(members) {
    this.#colleagues.set(members)
    this.#dispatch("joined")
  }

  /** Another tab of the user's own visits too: it does not show what this one is writing. */
  #onEvent(name, data) {
    this.#colleagues.receive(name, data)
    if (name === "client-viewing") this.#dispatch("visited")
  }

  #show(colleagues) {
    if (!this.isConnected) return
    const sentences = colleagues.map((colleague) => clone(`colleague-${colleague.activity}`, colleague))
    this.#announcer.announce(sentences.map(({ textContent }) => textContent).join(". "))
    this.querySelector("ul").replaceChildren(
      ...colleagues.map((colleague, n) => itemOf(colleague, sentences[n])),
    )
    this.#dispatch("changed", { colleagues })
  }

  #dispatch(name, detail = {}) {
    this.dispatchEvent(new CustomEvent(`ticket-presence:${name}`, { bubbles: true, detail }))
  }
}

function itemOf(colleague, sentence) {
  const item = clone("colleague", colleague)
  item.append(sentence)
  return item
}

customElements.define("ticket-presence", TicketPresence)
