/** <ticket-page data-uuid data-seq>: keeps a ticket's properties, conversation and timeline up to date. */

import { appendChange, isLine, isMessage } from "../../lib/change-lines.js"
import { showProperty } from "../../lib/forms/property-form.js"
import { FrameBatcher } from "../../lib/frame-batcher.js"
import { isPersonal } from "../../lib/notifications/personal-events.js"
import { config, reloadPage } from "../../lib/page-config.js"
import { endLifetime, signalOf } from "../../lib/page-parts/lifetime.js"
import { ReadingPosition } from "../../lib/reading/reading-position.js"
import { clone, fill, update } from "../../lib/template.js"
import { timelineEntries } from "../../lib/timeline.js"
import { live } from "../../live/index.js"
import { replyItem } from "./reply-list.js"

const SPREAD_MS = 500
const MAX_FAILURES = 4
const PROPERTY = "form:has([name=version])"
const UNDO = ".visibility [data-undo]:not([hidden]) button"
const VISIBILITY_SWITCH = ".visibility > details:not([hidden]) > summary"

class TicketPage extends HTMLElement {
  /** @type {?object} the latest payload, once an event has come */
  #ticket = null
  /** Whether this page has sent a message that has not come back as an event. */
  #isSending = false
  #position
  #batcher = new FrameBatcher((facts) => this.#showProperties(facts.get(this.uuid)))

  connectedCallback() {
    this.uuid = this.dataset.uuid
    this.channel = `private-tickets.${this.uuid}`
    live.stream.setSequence(this.uuid, Number(this.dataset.seq), this.dataset.audience)
    this.#watchEvents(signalOf(this))
    // What came while a property was being changed is shown now.
    this.addEventListener("focusout", ({ target }) => setTimeout(() => this.#showLatest(target)))
    this.addEventListener("live-form:settled", ({ target }) => this.#showLatest(target))
    this.addEventListener("live-form:failed", () => {
      this.#isSending = false
    })
    this.addEventListener("live-form:discarded", ({ target }) => this.#discardChoice(target))
    this.addEventListener("submit", ({ target }) => this.#onSubmit(target))
    this.addEventListener("live-form:sent", ({ target, detail }) => this.#onSent(target, detail.body))
    this.#position = new ReadingPosition({
      list: document.getElementById("replies"),
      dock: this.querySelector(".dock"),
      button: document.getElementById("new-reply"),
      signal: signalOf(this),
    })
    const unread = this.querySelector(".new-line")
    if (this.#replyList.latestPage) this.#position.startEarlier(unread)
    else this.#position.start(unread)
    document.getElementById("new-reply").addEventListener("click", () => this.#openLatestPage())
  }

  disconnectedCallback() {
    endLifetime(this)
  }

  #watchEvents(signal) {
    const onOwn = (task) => (event) => event.detail.channel === this.channel && task()
    live.stream.on("*", (data, name) => data.ticket?.uuid === this.uuid && this.#apply(name, data), {
      signal,
    })
    live.stream.on("stream:reset", (reset) => this.#reloadIfAffected(reset), { signal })
    live.addEventListener("reset", onOwn(reloadPage), { signal })
    live.addEventListener(
      "refused",
      onOwn(() => this.#showAccessEnded()),
      { signal },
    )
    live.follow(this.channel, this.dataset.cursor)
    signal.addEventListener("abort", () => live.unfollow(this.channel))
  }

  /** Applies a change of another element to the messages, whose end stays in view. */
  keepPosition(change) {
    this.#position.keep(change)
  }

  #onSubmit(form) {
    if (form.matches(".composer, [data-writes]")) this.#isSending = true
  }

  /** Clears the name that was added. Offers to undo a reply that was made internal; it becomes public again as a new reply. */
  #onSent(form, body) {
    if (form.matches(".add-participant, .add-tag, .add-link, .snooze-time")) form.reset()
    const undo = form.querySelector("[data-undo]")
    if (!undo) return
    undo.hidden = body.get("visibility") !== "internal"
    if (!undo.hidden && form.contains(document.activeElement)) undo.querySelector("button").focus()
  }

  #apply(name, data) {
    if (name === "ticket.withdrawn") {
      // The user may still have access by other means: the history grants or refuses it.
      live.stream.catchUp()
      return
    }
    if (name === "ticket.people.updated") {
      reloadPage()
      return
    }
    if (isPersonal(name)) return // other elements show these
    this.#batcher.set(this.uuid, data.ticket)
    this.#addTimelineEntries(name, data)
    if (name === "ticket.reply.created") this.#addReply(data.reply)
    if (name === "ticket.reply.updated") this.#updateReply(data.reply)
    if (name === "ticket.reply.edited") this.#editReply(data.reply)
    if (name === "ticket.reply.deleted") this.#removeReply(data.reply)
    if (name === "ticket.mail.updated") this.#showUndelivered(data.mails)
  }

  #reloadIfAffected({ reason, ticket }) {
    if (reason === "log" || ticket === this.uuid) reloadPage()
  }

  /** Reports the end of access and shows the unsent text, so that it can be copied. */
  #showAccessEnded() {
    const draft = document.getElementById("unsent-text")
    draft.value = this.querySelector("ticket-composer textarea").value
    draft.parentElement.hidden = !draft.value
    this.#showDialog(document.getElementById("access-ended"))
  }

  /** Beside a list, which may be in use, it covers the ticket only. */
  #showDialog(dialog) {
    if (!this.closest(".pane")) return dialog.showModal()
    const hadFocus = this.contains(document.activeElement)
    this.inert = true
    dialog.open = true
    if (hadFocus) dialog.querySelector("[autofocus]").focus()
  }

  // Facts

  #showProperties(ticket) {
    if (!this.isConnected) return
    const facts = { ticket: { ...ticket, mine: ticket.assigned_to?.id === config.user } }
    for (const part of this.querySelectorAll("ticket-facts, [data-ticket-fact]")) fill(part, facts)
    this.#ticket = ticket
    for (const form of this.querySelectorAll(PROPERTY)) showProperty(form, ticket)
    document.title = `${ticket.subject} · TIKM`
  }

  #showLatest(element) {
    const form = element.closest(PROPERTY)
    if (form && this.#ticket) showProperty(form, this.#ticket)
  }

  /** Shows the ticket's value in place of a choice that could not be saved. */
  #discardChoice(form) {
    form.reset() // to the value that the page was rendered with
    this.#showLatest(form)
  }

  // Conversation

  #addReply(reply) {
    if (document.getElementById(`reply-${reply.id}`)) return
    const isOwn = this.#isSending && reply.user.id === config.user
    if (isOwn) this.#isSending = false
    if (this.#replyList.latestPage) {
      this.#announceOnLatestPage(reply)
      return
    }
    const item = replyItem(reply)
    this.#position.apply(() => document.getElementById("replies").append(item), { isOwn })
    item.classList.add("is-fresh")
    if (reply.truncated) setTimeout(() => this.#loadFullReply(item, reply.id), Math.random() * SPREAD_MS)
  }

  /** Leads to the page with the latest replies; on it at once for the user's own. */
  #announceOnLatestPage(reply) {
    if (reply.user.id === config.user) location.assign(`${this.#replyList.latestPage}#reply-${reply.id}`)
    else this.#countLater()
  }

  /** Counts the messages that have come while earlier ones are shown. */
  #countLater() {
    const button = document.getElementById("new-reply")
    const number = button.querySelector("[data-number]")
    number.textContent = String(button.hidden ? 1 : Number(number.textContent) + 1)
    button.hidden = false
  }

  #openLatestPage() {
    if (this.#replyList.latestPage) location.assign(this.#replyList.latestPage)
  }

  get #replyList() {
    return this.querySelector("reply-list")
  }

  /** Turns a reply into a note in place, or a note into the newest reply; keeps focus and scroll position. */
  #updateReply(reply) {
    const item = document.getElementById(`reply-${reply.id}`)
    if (!item) {
      // A note that is not shown may be one of the earlier replies; a published one is the latest.
      if (!reply.is_internal || !this.#replyList.hasEarlier) this.#addReply(reply)
      return
    }
    const hadFocus = item.contains(document.activeElement)
    const { message_html, attachments, ...changed } = reply
    this.#position.apply(() => {
      fill(item, changed)
      if (reply.is_internal) return
      if (this.#replyList.latestPage) item.remove()
      else item.parentElement.append(item)
    })
    for (const details of item.querySelectorAll(".visibility > details")) details.open = false
    if (!reply.is_internal) item.querySelector("[data-undo]").hidden = true
    const next = item.querySelector(UNDO) ?? item.querySelector(VISIBILITY_SWITCH)
    if (hadFocus) next?.focus({ preventScroll: true })
    item.classList.add("is-fresh")
  }

  /** Shows the new text of a message in place of the one that is shown, as typed or formatted. */
  #editReply(reply) {
    const item = document.getElementById(`reply-${reply.id}`)
    if (!item) return
    for (const original of item.querySelectorAll("message-original")) original.hide()
    if (reply.truncated) setTimeout(() => this.#loadFullReply(item, reply.id), Math.random() * SPREAD_MS)
    else this.#position.keep(() => update(item, reply))
  }

  #removeReply({ id }) {
    this.#position.keep(() => document.getElementById(`reply-${id}`)?.remove())
  }

  /** Shows the mails about a message that were not delivered. */
  #showUndelivered({ reply_id, undelivered }) {
    const message = reply_id
      ? document.getElementById(`reply-${reply_id}`)
      : this.querySelector(".is-opening")
    const list = message?.querySelector(".undelivered")
    if (list) this.#position.keep(() => fill(list, { undelivered }))
  }

  /** Fetches a reply that was too long for an event; reloads the page after repeated failures. */
  async #loadFullReply(item, id, failures = 0) {
    if (!item.isConnected) return // deleted since
    try {
      const { reply } = await this.#fetchReply(id)
      this.#position.keep(() => fill(item, reply))
    } catch {
      if (failures >= MAX_FAILURES) reloadPage()
      else setTimeout(() => this.#loadFullReply(item, id, failures + 1), 1000 * 2 ** failures)
    }
  }

  async #fetchReply(id) {
    const headers = { Accept: "application/json" }
    const response = await fetch(`/tickets/${this.uuid}/replies/${id}/`, { headers })
    if (!response.ok) throw new Error(response.statusText)
    return await response.json()
  }

  // Timeline

  /** Adds what happened to the activity, and the ticket's changes also between the messages. */
  #addTimelineEntries(name, data) {
    const timeline = document.getElementById("timeline")
    for (const entry of timelineEntries(name, data)) {
      const line = { ...entry, created_at: data.timestamp }
      if (isMessage(entry) || !document.getElementById(`timeline-${entry.action}`)) continue
      timeline?.append(clone(`timeline-${entry.action}`, line))
      if (isLine(entry) && !this.#replyList.latestPage)
        this.#position.keep(() => appendChange(document.getElementById("replies"), line))
    }
  }
}

customElements.define("ticket-page", TicketPage)
