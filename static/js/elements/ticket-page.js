/** <ticket-page data-uuid data-seq>: one ticket, live: its facts, its conversation, its timeline. */

import { Latest } from "../lib/frame-batcher.js"
import { config, renew } from "../lib/page-config.js"
import { clone, fill } from "../lib/template.js"
import { lines } from "../lib/timeline.js"
import { live } from "../live/index.js"

const SPREAD_MS = 500
const MOST_FAILURES = 4
const SWITCH = ".visibility > button:not([hidden]), .visibility > details:not([hidden]) > summary"

class TicketPage extends HTMLElement {
  #facts = new Latest((facts) => this.#showFacts(facts.get(this.uuid)))

  connectedCallback() {
    this.uuid = this.dataset.uuid
    this.channel = `private-tickets.${this.uuid}`
    live.stream.know(this.uuid, Number(this.dataset.seq), this.dataset.audience)
    live.stream.on("*", (data, name) => data.ticket?.uuid === this.uuid && this.#apply(name, data))
    live.stream.on("stream:reset", (reset) => this.#renewIfMine(reset))
    live.addEventListener("reset", ({ detail }) => detail.channel === this.channel && renew())
    live.addEventListener("refused", ({ detail }) => detail.channel === this.channel && this.#end())
    live.follow(this.channel)
    document.getElementById("new-below")?.addEventListener("click", () => this.#showNewest())
    addEventListener("scroll", () => this.#noticeSeen(), { passive: true })
  }

  #apply(name, data) {
    if (name === "ticket.withdrawn") {
      // Whoever hears it may still have another way to the ticket: the history says so, or refuses.
      live.stream.catchUp()
      return
    }
    this.#facts.set(this.uuid, data.ticket)
    this.#addLine(name, data)
    if (name === "ticket.reply.created") this.#addReply(data.reply)
    if (name === "ticket.reply.updated") this.#turnReply(data.reply)
    if (name === "ticket.reply.deleted") this.#removeReply(data.reply)
  }

  #renewIfMine({ reason, ticket }) {
    if (reason === "log" || ticket === this.uuid) renew()
  }

  /** Says so, and shows what was being written: it can go nowhere from here, but it can be copied. */
  #end() {
    const draft = document.getElementById("kept-draft")
    draft.value = this.querySelector("ticket-composer textarea").value
    draft.parentElement.hidden = !draft.value
    document.getElementById("access-ended").showModal()
  }

  // Facts

  #showFacts(ticket) {
    const facts = { ticket: { ...ticket, mine: ticket.assigned_to?.id === config.user } }
    for (const part of this.querySelectorAll("ticket-facts, [data-ticket-fact]")) fill(part, facts)
    for (const form of this.querySelectorAll("form:has([name=version])")) showProperty(form, ticket)
    document.title = `${ticket.subject} · TIKM`
  }

  // Conversation

  #addReply(reply) {
    if (document.getElementById(`reply-${reply.id}`)) return
    const item = clone("reply", reply)
    item.id = `reply-${reply.id}`
    item.classList.toggle("is-own", reply.user.id === config.user)
    this.#keepComposerStill(() => document.getElementById("replies").append(item))
    item.classList.add("is-fresh")
    if (reply.truncated) setTimeout(() => this.#complete(item, reply.id), Math.random() * SPREAD_MS)
    this.#noticeNew(item)
  }

  /** A reply became a note where it is, or a note a reply of now; its words are the same, and nobody loses his place. */
  #turnReply(reply) {
    const item = document.getElementById(`reply-${reply.id}`)
    if (!item) {
      this.#addReply(reply)
      return
    }
    const hadFocus = item.contains(document.activeElement)
    const { message_html, attachments, ...changed } = reply
    this.#keepComposerStill(() => {
      fill(item, changed)
      if (!reply.is_internal) item.parentElement.append(item)
    })
    item.querySelector("details").open = false
    if (hadFocus) item.querySelector(SWITCH).focus({ preventScroll: true })
    item.classList.add("is-fresh")
    this.#noticeNew(item)
  }

  #removeReply({ id }) {
    this.#keepComposerStill(() => document.getElementById(`reply-${id}`)?.remove())
  }

  /** Fetches a reply that was too long for an event; after some failures the whole page is fetched. */
  async #complete(item, id, failures = 0) {
    if (!item.isConnected) return // deleted meanwhile
    try {
      const { reply } = await this.#fetchReply(id)
      this.#keepComposerStill(() => fill(item, reply))
    } catch {
      if (failures >= MOST_FAILURES) renew()
      else setTimeout(() => this.#complete(item, id, failures + 1), 1000 * 2 ** failures)
    }
  }

  async #fetchReply(id) {
    const headers = { Accept: "application/json" }
    const response = await fetch(`/tickets/${this.uuid}/replies/${id}/`, { headers })
    if (!response.ok) throw new Error(response.statusText)
    return await response.json()
  }

  /** Whoever is typing sees the text stay where it is, though the conversation above has grown. */
  #keepComposerStill(change) {
    const composer = document.activeElement?.closest("ticket-composer")
    const before = composer?.getBoundingClientRect().top
    change()
    if (composer) scrollBy({ top: composer.getBoundingClientRect().top - before, behavior: "instant" })
  }

  #noticeNew(item) {
    const pill = document.getElementById("new-below")
    if (pill && item.getBoundingClientRect().top > innerHeight) pill.hidden = false
  }

  #noticeSeen() {
    const newest = document.getElementById("replies").lastElementChild
    const pill = document.getElementById("new-below")
    if (pill && newest && newest.getBoundingClientRect().top < innerHeight) pill.hidden = true
  }

  #showNewest() {
    document.getElementById("replies").lastElementChild?.scrollIntoView({ block: "center" })
  }

  // Timeline

  #addLine(name, data) {
    const timeline = document.getElementById("timeline")
    for (const line of lines(name, data)) {
      if (document.getElementById(`timeline-${line.action}`)) {
        timeline?.append(clone(`timeline-${line.action}`, { ...line, created_at: data.timestamp }))
      }
    }
  }
}

/** Shows a property in its form, unless someone is changing it: he then keeps the version that he had before him. */
function showProperty(form, ticket) {
  if (form.contains(document.activeElement) || form.hasAttribute("data-conflicted")) return
  form.elements.version.value = ticket.version
  for (const field of form.querySelectorAll("select, input:not([type=hidden])")) {
    showValue(field, ticket[field.name])
  }
}

function showValue(field, value) {
  const key = value?.id ?? value ?? ""
  if (field.tagName !== "SELECT") {
    field.value = key
    return
  }
  const options = [...field.options]
  const chosen = options.find((option) => option.value === key || option.textContent.trim() === key)
  if (chosen) chosen.selected = true
}

customElements.define("ticket-page", TicketPage)
