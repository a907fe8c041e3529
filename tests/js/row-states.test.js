/** What a list shows of unread tickets, and when a message counts as seen. */

import assert from "node:assert/strict"
import { test } from "node:test"
import { RowStates } from "../../static/js/lib/reading/row-states.js"
import { isShown } from "../../static/js/lib/reading/seen-messages.js"
import { FakeClock } from "./clock.js"

const ticket = { uuid: "t" }
const reply = (id, user = "bao") => ({
  id,
  user: { id: user },
  is_internal: false,
  message: "  Hello\n there ",
})

function setUp(rows = {}) {
  const asked = []
  const clock = new FakeClock()
  const loaded = []
  const lost = []
  const states = new RowStates({
    user: "me",
    fetchRows: async (uuids) => {
      asked.push(uuids)
      return rows
    },
    onLoaded: (uuids) => loaded.push(...uuids),
    onLost: (uuids) => lost.push(...uuids),
    clock,
  })
  states.set("t", { is_unread: false, lastId: "r1" })
  return { states, asked, clock, loaded, lost }
}

test("a reply of another person makes a ticket unread, one's own does not", () => {
  const { states } = setUp()
  states.apply("ticket.reply.created", { ticket, reply: reply("r2", "me") })
  assert.equal(states.get("t").is_unread, false)
  states.apply("ticket.reply.created", { ticket, reply: reply("r3") })
  assert.equal(states.get("t").is_unread, true)
  assert.equal(states.get("t").last.preview, "Hello there")
})

test("a mark of before the latest reply leaves the ticket unread", () => {
  const { states } = setUp()
  states.apply("ticket.reply.created", { ticket, reply: reply("r2") })
  states.apply("ticket.read", { ticket, last_read: { id: "r1" }, is_unread: false })
  assert.equal(states.get("t").is_unread, true)
  states.apply("ticket.read", { ticket, last_read: { id: "r2" }, is_unread: false })
  assert.equal(states.get("t").is_unread, false)
  states.apply("ticket.read", { ticket, last_read: { id: "r1" }, is_unread: true })
  assert.equal(states.get("t").is_unread, true)
})

test("the server is asked once for what a page cannot know", async () => {
  const row = { is_unread: true, last: { id: "n" } }
  const { states, asked, clock, loaded } = setUp({ new: row })
  assert.deepEqual(states.get("new"), {})
  states.apply("ticket.reply.deleted", { ticket, reply: { id: "r1" } })
  states.apply("ticket.reply.created", { ticket, reply: { ...reply("r2"), truncated: true } })
  await clock.advance(600)
  assert.deepEqual(asked, [["new", "t"]])
  assert.deepEqual(loaded, ["new", "t"])
  assert.equal(states.get("new"), row)
})

test("tickets that the server does not answer with are lost, and asked for no more", async () => {
  const row = { is_unread: false, last: { id: "r1" } }
  const { states, asked, clock, lost } = setUp({ t: row })
  states.set("gone", { is_unread: false, lastId: "r9" })
  states.askAll()
  await clock.advance(600)
  assert.deepEqual(asked, [["t", "gone"]])
  assert.deepEqual(lost, ["gone"])
  states.askAll()
  await clock.advance(3000)
  assert.deepEqual(asked[1], ["t"])
})

test("a message counts as seen when half of it, or of the window, is in view", () => {
  assert.equal(isShown({ top: 90, bottom: 190, height: 100 }, 100, 500), true)
  assert.equal(isShown({ top: 40, bottom: 120, height: 80 }, 100, 500), false)
  assert.equal(isShown({ top: 460, bottom: 900, height: 440 }, 100, 500), false)
  assert.equal(isShown({ top: -500, bottom: 900, height: 1400 }, 100, 500), true)
  assert.equal(isShown({ top: 600, bottom: 700, height: 100 }, 100, 500), false)
})
