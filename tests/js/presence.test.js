/** Presence and typing: who is here, what they do, and how little of it is sent. */

import assert from "node:assert/strict"
import { test } from "node:test"

import { Announcer } from "../../static/js/lib/announcer.js"
import { Colleagues } from "../../static/js/lib/presence/colleagues.js"
import { OwnActivity } from "../../static/js/lib/presence/own-activity.js"
import { TicketActivities } from "../../static/js/lib/presence/ticket-activities.js"
import { Typists } from "../../static/js/lib/presence/typists.js"
import { FakeClock } from "./clock.js"

const SECOND = 1_000
const MINUTE = 60 * SECOND
const SELF = { id: "bao", name: "Bao" }
const CARA = { id: "cara", name: "Cara" }
const DANA = { id: "dana", name: "Dana" }

function strip() {
  const clock = new FakeClock()
  const shown = { people: [], clock }
  const onChange = (all) => {
    shown.people = all.map(({ name, activity }) => `${name} ${activity}`)
  }
  shown.colleagues = new Colleagues({ self: SELF.id, onChange, clock })
  return shown
}

test("a colleague is shown once, without the user of the page", () => {
  const shown = strip()
  shown.colleagues.set([SELF, CARA])
  shown.colleagues.add(CARA)
  assert.deepEqual(shown.people, ["Cara viewing"])
})

test("those who write come first, and leave with their membership", () => {
  const shown = strip()
  shown.colleagues.set([SELF, CARA, DANA])
  shown.colleagues.receive("client-replying", { user: DANA })
  assert.deepEqual(shown.people, ["Dana replying", "Cara viewing"])
  shown.colleagues.receive("client-noting", { user: DANA })
  assert.deepEqual(shown.people, ["Dana noting", "Cara viewing"])
  shown.colleagues.remove(DANA)
  assert.deepEqual(shown.people, ["Cara viewing"])
})

test("a client event that overtakes its sender's membership counts, and is no membership", () => {
  const shown = strip()
  shown.colleagues.receive("client-replying", { user: CARA })
  assert.deepEqual(shown.people, [])
  shown.colleagues.add(CARA)
  assert.deepEqual(shown.people, ["Cara replying"])
})

test("a colleague without a sign of life is idle after a minute", async () => {
  const shown = strip()
  shown.colleagues.set([CARA, DANA])
  await shown.clock.advance(30 * SECOND)
  shown.colleagues.receive("client-replying", { user: DANA })
  await shown.clock.advance(30 * SECOND)
  assert.deepEqual(shown.people, ["Dana replying", "Cara idle"])
  await shown.clock.advance(30 * SECOND)
  assert.deepEqual(shown.people, ["Cara idle", "Dana idle"])
  shown.colleagues.receive("client-viewing", { user: CARA })
  assert.deepEqual(shown.people, ["Cara viewing", "Dana idle"])
  assert.equal(shown.clock.pending, 1)
})

function writer() {
  const clock = new FakeClock()
  const sent = []
  return { clock, sent, own: new OwnActivity({ send: (event) => sent.push(event), clock }) }
}

test("an hour of typing sends typing every three seconds and replying twice a minute", async () => {
  const { clock, sent, own } = writer()
  for (let stroke = 0; stroke < 3600 * 4; stroke++) {
    own.typed({ isNote: false })
    await clock.advance(SECOND / 4)
  }
  const count = (name) => sent.filter((event) => event === name).length
  assert.deepEqual([count("typing"), count("replying"), sent.length], [1200, 120, 1320])
})

test("a note is announced as a note only", async () => {
  const { clock, sent, own } = writer()
  for (let second = 0; second < 60; second++) {
    own.typed({ isNote: true })
    await clock.advance(SECOND)
  }
  own.stop()
  assert.deepEqual(sent, ["noting", "noting", "viewing"])
})

test("writing ends when the text was sent", () => {
  const { sent, own } = writer()
  own.typed({ isNote: false })
  own.stop()
  own.stop()
  own.typed({ isNote: false })
  assert.deepEqual(sent, ["typing", "replying", "viewing", "typing", "replying"])
})

test("signs of life are sent twice a minute, and nothing without them", async () => {
  const { clock, sent, own } = writer()
  own.announce()
  for (let second = 0; second < 60; second++) {
    own.use()
    await clock.advance(SECOND)
  }
  assert.deepEqual(sent, ["viewing", "viewing"])
  await clock.advance(10 * MINUTE)
  assert.deepEqual([sent.length, clock.pending], [2, 0])
})

test("a page that writes answers visitors, those of half a second together", async () => {
  const { clock, sent, own } = writer()
  own.answer()
  own.typed({ isNote: true })
  for (const _ of [1, 2, 3]) own.answer()
  await clock.advance(SECOND)
  assert.deepEqual(sent, ["noting", "noting"])
  own.answer()
  own.stop()
  await clock.advance(SECOND)
  assert.deepEqual(sent, ["noting", "noting", "viewing"])
})

test("text left alone for a minute is not being written", async () => {
  const { clock, sent, own } = writer()
  own.typed({ isNote: true })
  await clock.advance(MINUTE)
  own.answer()
  await clock.advance(SECOND)
  assert.deepEqual(sent, ["noting"])
  own.use()
  assert.deepEqual(sent, ["noting", "viewing"])
})

test("typing ends by itself, and with the message", async () => {
  const clock = new FakeClock()
  const shown = []
  const typists = new Typists({ onChange: () => shown.push(typists.names.join()), clock })
  typists.add("Casey")
  await clock.advance(5 * SECOND)
  typists.add("Casey")
  await clock.advance(5 * SECOND)
  assert.deepEqual(shown, ["Casey"])
  await clock.advance(SECOND)
  assert.deepEqual(shown, ["Casey", ""])
  typists.add("Casey")
  typists.remove("Casey")
  assert.deepEqual([shown.length, clock.pending], [4, 0])
})

test("ten changes are two sentences for a screen reader", async () => {
  const clock = new FakeClock()
  const region = { textContent: "" }
  const announcer = new Announcer(region, { clock })
  const said = new Set()
  for (let change = 1; change <= 10; change++) {
    announcer.announce(`${change} are viewing`)
    await clock.advance(SECOND)
    said.add(region.textContent)
  }
  await clock.advance(MINUTE)
  said.add(region.textContent)
  said.delete("")
  assert.deepEqual([...said], ["1 are viewing", "10 are viewing"])
})

test("a list shows who is active on a ticket, each person once, without the page's user", async () => {
  const clock = new FakeClock()
  const changed = []
  const activities = new TicketActivities({ self: SELF.id, onChange: (uuid) => changed.push(uuid), clock })
  const report = (user, activity) => activities.receive({ ticket: { uuid: "t" }, user, activity })
  const shown = () => activities.of("t").map(({ user, activity }) => `${user.name} ${activity}`)
  for (const user of [SELF, CARA, DANA, CARA]) report(user, "viewing")
  report(DANA, "replying")
  assert.deepEqual(shown(), ["Cara viewing", "Dana replying"])
  assert.equal(changed.length, 3)
  report(CARA, "leaving")
  assert.deepEqual(shown(), ["Dana replying"])
  await clock.advance(75 * SECOND)
  assert.deepEqual([shown(), clock.pending], [[], 0])
  report(DANA, "viewing")
  activities.forget(DANA.id)
  assert.deepEqual([shown(), clock.pending], [[], 0])
})

test("leaving a ticket is announced, and a return to it too", () => {
  const { sent, own } = writer()
  own.typed({ isNote: true })
  own.leave()
  own.use()
  assert.deepEqual(sent, ["noting", "leaving", "viewing"])
})
