/** What a list shows of tickets beside their payload: the latest message, and whether the user has read it. */

import { ThrottledTask } from "../throttled-task.js"

const PREVIEW = 140
const PERIOD_MS = 2_000
const SPREAD_MS = 500
const MAX_TICKETS = 50
const CREATED = "ticket.reply.created"

export class RowStates {
  #user
  #fetchRows
  #onLoaded
  #onLost
  #states = new Map()
  #missing = new Set()
  #load

  /**
   * @param {object} options
   * @param {string} options.user the id of the signed-in user
   * @param {(uuids: string[]) => Promise<Object<string, object>>} options.fetchRows asks the server for states
   * @param {(uuids: string[]) => void} options.onLoaded is called when the server has answered
   * @param {(uuids: string[]) => void} options.onLost is called with those that the user may not see any more
   * @param {() => boolean} [options.isAllowed]
   */
  constructor({ user, fetchRows, onLoaded, onLost, isAllowed, clock = globalThis }) {
    this.#user = user
    this.#fetchRows = fetchRows
    this.#onLoaded = onLoaded
    this.#onLost = onLost
    this.#load = new ThrottledTask(() => this.#loadMissing(), {
      period: PERIOD_MS,
      spread: SPREAD_MS,
      isAllowed,
      clock,
    })
  }

  /** Takes what the server has rendered. `lastId`: the id of the latest message, or "" for the ticket's first one. */
  set(uuid, { is_unread, lastId }) {
    this.#states.set(uuid, { is_unread, last: { id: lastId || null } })
  }

  /** Returns {is_unread, last} to fill a row with; nothing if the state is not known yet, and asks the server then. */
  get(uuid) {
    const state = this.#states.get(uuid)
    if (!state) this.#ask(uuid)
    return state ?? {}
  }

  /** Returns whether a ticket is known to be read. */
  isRead(uuid) {
    return this.#states.get(uuid)?.is_unread === false
  }

  /** Takes an event; returns whether the state of its ticket changed. */
  apply(name, data) {
    const { uuid } = data.ticket
    if (name === CREATED) return this.#onReply(uuid, data.reply)
    if (name === "ticket.read") return this.#onRead(uuid, data)
    if (name === "ticket.withdrawn") this.#states.delete(uuid)
    // What was the latest message may be gone, or have another text or another author's name.
    if (
      name === "ticket.reply.updated" ||
      name === "ticket.reply.edited" ||
      name === "ticket.reply.deleted" ||
      name === "ticket.people.updated"
    )
      this.#ask(uuid)
    return false
  }

  /** Asks the server for all tickets: the user may have lost some. */
  askAll() {
    for (const uuid of this.#states.keys()) this.#ask(uuid)
  }

  check() {
    this.#load.check()
  }

  #onReply(uuid, reply) {
    const isOwn = reply.user.id === this.#user
    const state = this.#states.get(uuid)
    if (reply.truncated || (isOwn && !state)) {
      this.#ask(uuid)
      return false
    }
    this.#states.set(uuid, { is_unread: isOwn ? state.is_unread : true, last: lastOf(reply) })
    return true
  }

  /** A message that came since is unread, whatever the mark says of those before it. */
  #onRead(uuid, { last_read, is_unread }) {
    const state = this.#states.get(uuid)
    if (!state) return false
    const isBehind = !is_unread && (last_read?.id ?? null) !== state.last.id
    this.#states.set(uuid, { ...state, is_unread: is_unread || isBehind })
    return true
  }

  #ask(uuid) {
    this.#missing.add(uuid)
    this.#load.request()
  }

  async #loadMissing() {
    const uuids = [...this.#missing].slice(0, MAX_TICKETS)
    if (uuids.length === 0) return
    const rows = await this.#fetchRows(uuids)
    for (const uuid of uuids) {
      this.#missing.delete(uuid)
      if (rows[uuid]) this.#states.set(uuid, rows[uuid])
    }
    this.#onLoaded(uuids)
    const lost = uuids.filter((uuid) => !rows[uuid])
    for (const uuid of lost) this.#states.delete(uuid)
    this.#onLost(lost)
    if (this.#missing.size > 0) this.#load.request()
  }
}

function lastOf({ id, user, is_internal, message }) {
  return { id, user, is_internal, preview: message.split(/\s+/).filter(Boolean).join(" ").slice(0, PREVIEW) }
}
