/** The event stream with late, repeated, reordered and lost events. */

import assert from "node:assert/strict"
import { test } from "node:test"

import { EventStream } from "../../static/js/live/event-stream.js"
import { FakeClock, settle } from "./clock.js"

const TICKET = "11111111-0000-4000-8000-000000000000"
const OTHER = "22222222-0000-4000-8000-000000000000"
const CHANNEL = `private-tickets.${TICKET}`
const REPLY = "ticket.reply.created"
const UPDATED = "ticket.updated"
const REVOKED = "ticket.withdrawn"
const TIMESTAMP = "2026-01-01T09:00:00Z"

function reply(seq, ticket = TICKET) {
  return { event_id: `${ticket}/${seq}`, ticket: { uuid: ticket }, seq, timestamp: TIMESTAMP }
}

function revocation(id = "revocation") {
  return { event_id: id, ticket: { uuid: TICKET }, timestamp: TIMESTAMP }
}

function logged(data, event = REPLY, channel = CHANNEL) {
  return { event, channel, data }
}

function replies(...seqs) {
  return seqs.map((seq) => logged(reply(seq)))
}

function failure(status, more = {}) {
  return Object.assign(new Error(`HTTP ${status}`), { status }, more)
}

/** A history whose requests the test answers, oldest first. */
class History {
  asked = []
  #open = []

  fetch = ({ since, channels }) => {
    this.asked.push({ since, channels })
    return new Promise((resolve, reject) => this.#open.push({ resolve, reject }))
  }

  async answer(events = [], { cursor = "later", reset = false } = {}) {
    this.#open.shift().resolve({ events, cursor, reset })
    await settle()
  }

  async fail(error = new TypeError("Failed to fetch")) {
    this.#open.shift().reject(error)
    await settle()
  }
}

/** A page that follows its ticket and records its events. */
function openPage({ channels = [CHANNEL], shows = { [TICKET]: 1 }, random } = {}) {
  const history = new History()
  const clock = new FakeClock(random)
  const stream = new EventStream({ fetchHistory: history.fetch, cursor: "embedded", clock })
  const page = { stream, history, clock, shown: [], resets: [], refused: [], caughtUp: [] }
  for (const channel of channels) stream.follow(channel)
  for (const [ticket, seq] of Object.entries(shows)) stream.setSequence(ticket, seq)
  stream.on("*", (data) => page.shown.push(data?.seq ?? data?.event_id))
  stream.on("stream:reset", (data) => page.resets.push(data))
  stream.on("stream:refused", (data) => page.refused.push(data.channel))
  stream.on("stream:caughtup", (data) => page.caughtUp.push(data.applied))
  page.receive = (...seqs) => {
    for (const seq of seqs) stream.receive(REPLY, reply(seq))
  }
  return page
}

function numbered(count) {
  return Array.from({ length: count }, (_, index) => `private-office.${index}`)
}

async function reportedBy(callback) {
  const errors = []
  globalThis.reportError = (error) => errors.push(error.message)
  try {
    await callback()
  } finally {
    delete globalThis.reportError
  }
  return errors
}

// Order

test("a live reply is shown at once", () => {
  const page = openPage()
  page.receive(2)
  assert.deepEqual(page.shown, [2])
})

test("a reply in the rendered page is neither shown again nor requested", async () => {
  const page = openPage({ shows: { [TICKET]: 5 } })
  page.receive(4, 5, 6)
  assert.deepEqual(page.shown, [6])
  await page.clock.advance(1000)
  assert.deepEqual(page.history.asked, [])
})

test("a reply sent on two channels is shown once", () => {
  const page = openPage()
  page.receive(2, 2, 3, 2, 3)
  assert.deepEqual(page.shown, [2, 3])
})

test("a pending reply that comes twice is shown once", () => {
  const page = openPage()
  page.receive(3, 3, 2, 3)
  assert.deepEqual(page.shown, [2, 3])
})

test("replies that arrive out of order are shown in order", () => {
  const page = openPage()
  page.receive(4, 3, 5, 2)
  assert.deepEqual(page.shown, [2, 3, 4, 5])
})

test("an unknown ticket starts at its first event", () => {
  const page = openPage({ shows: {} })
  page.receive(7, 6, 9, 8)
  assert.deepEqual(page.shown, [7, 8, 9])
})

test("a gap in one ticket does not delay another", () => {
  const page = openPage({ shows: { [TICKET]: 1, [OTHER]: 1 } })
  page.receive(3)
  page.stream.receive(REPLY, reply(2, OTHER))
  assert.deepEqual(page.shown, [2])
})

test("a forgotten ticket starts again at its next event", () => {
  const page = openPage()
  page.receive(5)
  page.stream.forget(TICKET)
  page.receive(9)
  assert.deepEqual(page.shown, [9])
})

test("the gap of a forgotten ticket sends no request", async () => {
  const page = openPage()
  page.receive(3)
  page.stream.forget(TICKET)
  await page.clock.advance(1000)
  assert.deepEqual(page.history.asked, [])
})

test("an event without a sequence number is shown at once, and once", () => {
  const page = openPage()
  page.stream.receive("server.announced", { event_id: "announced" })
  page.stream.receive("server.announced", { event_id: "announced" })
  assert.deepEqual(page.shown, ["announced"])
})

test("client events without an id are delivered every time", () => {
  const page = openPage()
  let whispers = 0
  page.stream.on("client-typing", () => whispers++)
  page.stream.receive("client-typing", { user: "Bao" })
  page.stream.receive("client-typing", undefined)
  assert.equal(whispers, 2)
})

test("the stream remembers 5000 event ids and drops the oldest first", () => {
  const page = openPage({ shows: {} })
  const announce = (number) => page.stream.receive("server.announced", { event_id: `announced ${number}` })
  for (let number = 1; number <= 5001; number++) announce(number)
  announce(2)
  assert.equal(page.shown.length, 5001)
  announce(1)
  assert.equal(page.shown.length, 5002)
})

// Sequence numbers of the page

test("a higher sequence number releases the pending events behind it", () => {
  const page = openPage()
  page.receive(4, 6, 7)
  page.stream.setSequence(TICKET, 5)
  assert.deepEqual(page.shown, [6, 7])
  page.receive(4)
  assert.deepEqual(page.shown, [6, 7])
  assert.deepEqual(page.resets, [])
})

test("a sequence number beyond the gap sends no request", async () => {
  const page = openPage()
  page.receive(3)
  page.stream.setSequence(TICKET, 3)
  await page.clock.advance(1000)
  assert.deepEqual(page.history.asked, [])
})

test("an older sequence number resets the page once", () => {
  const page = openPage()
  page.receive(2, 3)
  page.stream.setSequence(TICKET, 2)
  assert.deepEqual(page.resets, [{ reason: "gap", ticket: TICKET }])
  page.stream.setSequence(TICKET, 3)
  page.receive(4)
  assert.deepEqual(page.shown, [2, 3, 4])
  assert.equal(page.resets.length, 1)
})

test("a sequence number that is not an integer throws", () => {
  const page = openPage()
  assert.throws(() => page.stream.setSequence(TICKET, "5"), TypeError)
})

// Gaps

test("a gap is read from the history after 300 ms", async () => {
  const page = openPage()
  page.receive(4)
  await page.clock.advance(299)
  assert.deepEqual(page.history.asked, [])
  await page.clock.advance(1)
  assert.deepEqual(page.history.asked, [{ since: "embedded", channels: [CHANNEL] }])
  await page.history.answer(replies(2, 3, 4))
  assert.deepEqual(page.shown, [2, 3, 4])
  assert.deepEqual(page.resets, [])
})

test("a gap that closes within 300 ms sends no request", async () => {
  const page = openPage()
  page.receive(3)
  await page.clock.advance(200)
  page.receive(2)
  await page.clock.advance(1000)
  assert.deepEqual(page.history.asked, [])
})

test("a second gap has its own 300 ms", async () => {
  const page = openPage()
  page.receive(3)
  await page.clock.advance(200)
  page.receive(2, 5)
  await page.clock.advance(299)
  assert.deepEqual(page.history.asked, [])
  await page.clock.advance(1)
  assert.equal(page.history.asked.length, 1)
})

test("a gap that the history does not fill is skipped with one reset", async () => {
  const page = openPage()
  page.receive(7, 5)
  await page.clock.advance(300)
  await page.history.answer()
  assert.deepEqual(page.shown, [5, 7])
  assert.deepEqual(page.resets, [{ reason: "gap", ticket: TICKET }])
  page.receive(6, 8)
  await page.clock.advance(1000)
  assert.deepEqual(page.shown, [5, 7, 8])
  assert.equal(page.resets.length, 1)
})

test("pending events are applied before the reset", async () => {
  const page = openPage()
  const received = []
  page.stream.on(REPLY, ({ seq }) => received.push(seq))
  page.stream.on("stream:reset", ({ reason }) => received.push(reason))
  page.receive(5)
  await page.clock.advance(300)
  await page.history.answer()
  assert.deepEqual(received, [5, "gap"])
})

test("a request sent before the gap opened does not close it", async () => {
  const page = openPage()
  page.stream.catchUp()
  page.receive(4)
  await page.history.answer()
  assert.deepEqual(page.shown, [])
  assert.deepEqual(page.resets, [])
  await page.clock.advance(300)
  await page.history.answer(replies(2, 3, 4))
  assert.deepEqual(page.shown, [2, 3, 4])
  assert.deepEqual(page.resets, [])
})

test("skipping a gap leaves a newer gap open", async () => {
  const page = openPage()
  page.receive(4)
  await page.clock.advance(300)
  page.receive(6)
  await page.history.answer()
  assert.deepEqual(page.shown, [4])
  await page.clock.advance(300)
  await page.history.answer(replies(5, 6))
  assert.deepEqual(page.shown, [4, 5, 6])
  assert.equal(page.resets.length, 1)
})

test("a gap stays open while one batch of the history fails", async () => {
  const page = openPage({ channels: [...numbered(20), CHANNEL] })
  page.receive(4)
  await page.clock.advance(300)
  await page.history.answer()
  await page.history.fail()
  assert.deepEqual(page.shown, [])
  assert.deepEqual(page.resets, [])
  await page.clock.advance(1000)
  await page.history.answer(replies(2, 3))
  assert.deepEqual(page.shown, [2, 3, 4])
  assert.deepEqual(page.resets, [])
})

test("a failing batch does not delay the others", async () => {
  const page = openPage({ channels: [...numbered(20), CHANNEL] })
  page.stream.catchUp()
  await page.history.fail()
  await page.history.answer(replies(2))
  assert.deepEqual(page.shown, [2])
  assert.deepEqual(page.caughtUp, [])
})

// Revoked access

test("a revoked ticket disappears at once, and once", () => {
  const page = openPage()
  page.stream.receive(REVOKED, revocation())
  page.stream.receive(REVOKED, revocation())
  assert.deepEqual(page.shown, ["revocation"])
})

test("a ticket granted again starts at its next event in the history", async () => {
  const page = openPage()
  page.receive(2)
  page.stream.receive(REVOKED, revocation())
  page.receive(9)
  assert.deepEqual(page.shown, [2, "revocation"])
  await page.history.answer(replies(9))
  page.receive(10)
  assert.deepEqual(page.shown, [2, "revocation", 9, 10])
})

test("an event older than the revocation does not restore the ticket", async () => {
  const page = openPage()
  page.stream.receive(REVOKED, revocation())
  page.receive(2)
  await page.history.answer([logged(revocation(), REVOKED)])
  assert.deepEqual(page.shown, ["revocation"])
})

test("pending events of a revoked ticket are never applied", async () => {
  const page = openPage()
  page.receive(4)
  page.stream.receive(REVOKED, revocation())
  await page.history.answer([...replies(2, 3, 4), logged(revocation(), REVOKED)])
  await page.clock.advance(1000)
  assert.deepEqual(page.shown, ["revocation"])
})

test("a ticket granted again during the request is not lost", async () => {
  const page = openPage()
  page.stream.catchUp()
  page.receive(5)
  await page.history.answer([...replies(2), logged(revocation(), REVOKED)], { cursor: "withdrawn" })
  assert.deepEqual(page.shown, [2, "revocation"])
  await page.history.answer(replies(5))
  assert.deepEqual(page.shown, [2, "revocation", 5])
})

test("history from before a revocation does not restore the ticket", async () => {
  const page = openPage()
  page.stream.receive(REVOKED, revocation())
  page.stream.catchUp()
  await page.history.answer([...replies(2, 3), logged(revocation(), REVOKED), ...replies(8)])
  assert.deepEqual(page.shown, ["revocation", 8])
})

test("a response in flight during a revocation does not restore the ticket", async () => {
  const page = openPage()
  page.stream.catchUp()
  page.stream.receive(REVOKED, revocation())
  await page.history.answer(replies(2, 3))
  assert.deepEqual(page.shown, ["revocation"])
})

test("a ticket granted again in a later response is shown", async () => {
  const page = openPage()
  page.stream.receive(REVOKED, revocation())
  page.stream.catchUp()
  await page.history.answer(replies(8))
  assert.deepEqual(page.shown, ["revocation", 8])
})

// Test events

test("a test event reaches test handlers once and no others", () => {
  const page = openPage()
  const toasts = []
  page.stream.on(UPDATED, (data) => toasts.push(data.seq), { tests: true })
  page.stream.receive(UPDATED, { ...reply(2), event_id: "a test", test: true })
  page.stream.receive(UPDATED, { ...reply(2), event_id: "a test", test: true })
  assert.deepEqual(toasts, [2])
  assert.deepEqual(page.shown, [])
  page.stream.receive(UPDATED, reply(2))
  assert.deepEqual(toasts, [2, 2])
  assert.deepEqual(page.shown, [2])
})

test("test events open no gap and revoke nothing", async () => {
  const page = openPage()
  page.stream.receive(REPLY, { ...reply(9), test: true })
  page.stream.receive(REVOKED, { ...revocation(), test: true })
  page.receive(3, 2)
  await page.clock.advance(1000)
  assert.deepEqual(page.shown, [2, 3])
  assert.deepEqual(page.history.asked, [])
})

test("test events do not count as applied", async () => {
  const page = openPage()
  const caughtUp = page.stream.catchUp()
  await page.history.answer([logged({ ...reply(9), test: true }), logged(reply(2))])
  assert.equal(await caughtUp, 1)
})

// History

test("requests start at the page's cursor, then use the response's", async () => {
  const page = openPage()
  page.stream.catchUp()
  await page.history.answer(replies(2), { cursor: "second" })
  page.stream.catchUp()
  assert.deepEqual(
    page.history.asked.map(({ since }) => since),
    ["embedded", "second"],
  )
})

test("a response that fails to apply is requested again from the same cursor", async () => {
  const page = openPage()
  page.stream.catchUp()
  await page.history.answer([logged(reply(2)), null, logged(reply(3))])
  await page.clock.advance(1000)
  await page.history.answer(replies(2, 3))
  assert.deepEqual(
    page.history.asked.map(({ since }) => since),
    ["embedded", "embedded"],
  )
  assert.deepEqual(page.shown, [2, 3])
})

test("a malformed response is requested again", async () => {
  const page = openPage()
  page.stream.catchUp()
  await page.history.answer("<h1>Please sign in to this hotel's network</h1>")
  await page.clock.advance(1000)
  await page.history.answer(replies(2))
  assert.deepEqual(page.shown, [2])
})

test("live replies during a request are ordered with those of the response", async () => {
  const page = openPage()
  page.stream.catchUp()
  page.receive(5, 4)
  await page.history.answer(replies(2, 3, 4))
  page.receive(6)
  assert.deepEqual(page.shown, [2, 3, 4, 5, 6])
})

test("catching up reports the number of missed events", async () => {
  const page = openPage()
  const caughtUp = page.stream.catchUp()
  page.receive(2, 5)
  await page.history.answer(replies(2, 3, 4))
  assert.equal(await caughtUp, 3)
  assert.deepEqual(page.caughtUp, [3])
})

test("a page that missed nothing takes over the new cursors", async () => {
  const page = openPage({ channels: numbered(3) })
  const asked = []
  const isNothing = await page.stream.checkMissed(async (question) => {
    asked.push(question)
    return "further"
  })
  assert.deepEqual([isNothing, page.caughtUp], [true, [0]])
  assert.deepEqual(asked, [{ since: "embedded", channels: numbered(3) }])
  page.stream.catchUp()
  assert.deepEqual(page.history.asked, [{ since: "further", channels: numbered(3) }])
})

test("a page that missed events on one channel reads all channels", async () => {
  const page = openPage({ channels: numbered(21) })
  const isNothing = await page.stream.checkMissed(async ({ channels }) =>
    channels.length === 1 ? null : "further",
  )
  assert.deepEqual([isNothing, page.caughtUp], [false, []])
  page.stream.catchUp()
  assert.deepEqual(
    page.history.asked.map(({ since, channels }) => [since, channels.length]),
    [
      ["embedded", 20],
      ["embedded", 1],
    ],
  )
})

test("an older response does not move a cursor back", async () => {
  const page = openPage()
  let answer
  const recalled = page.stream.checkMissed(() => new Promise((resolve) => (answer = resolve)))
  page.stream.catchUp()
  await page.history.answer(replies(2), { cursor: "furthest" })
  answer("further")
  await recalled
  page.stream.catchUp()
  assert.equal(page.history.asked.at(-1).since, "furthest")
})

test("events behind a skipped gap count as applied", async () => {
  const page = openPage()
  page.receive(5, 6)
  const caughtUp = page.stream.catchUp()
  await page.history.answer()
  assert.equal(await caughtUp, 2)
})

test("a page older than the event log is reset and uses the new cursor", async () => {
  const page = openPage()
  page.stream.catchUp()
  await page.history.answer([], { cursor: "present", reset: true })
  assert.deepEqual(page.resets, [{ reason: "log" }])
  page.stream.catchUp()
  assert.equal(page.history.asked.at(-1).since, "present")
})

test("a request has at most twenty channels, each batch its own cursor", async () => {
  const page = openPage({ channels: numbered(45) })
  page.stream.catchUp()
  assert.deepEqual(
    page.history.asked.map(({ channels }) => channels.length),
    [20, 20, 5],
  )
  assert.deepEqual(
    page.history.asked.flatMap(({ channels }) => channels),
    numbered(45),
  )
  for (const cursor of ["a", "b", "c"]) await page.history.answer([], { cursor })
  page.stream.catchUp()
  assert.deepEqual(
    page.history.asked.slice(3).map(({ since, channels }) => [since, channels[0]]),
    [
      ["a", "private-office.0"],
      ["b", "private-office.20"],
      ["c", "private-office.40"],
    ],
  )
})

test("channels with the same cursor share a request", async () => {
  const page = openPage()
  page.stream.catchUp()
  page.stream.follow("private-office.1")
  await page.history.answer([], { cursor: "now" })
  page.stream.catchUp()
  await page.history.answer([], { cursor: "now" })
  await page.history.answer([], { cursor: "now" })
  page.stream.catchUp()
  assert.deepEqual(page.history.asked.at(-1).channels, [CHANNEL, "private-office.1"])
})

test("a channel followed during a request starts at the page's cursor", async () => {
  const page = openPage()
  page.stream.catchUp()
  page.stream.follow("private-office.1")
  await page.history.answer([], { cursor: "second" })
  page.stream.catchUp()
  assert.deepEqual(page.history.asked.slice(1), [
    { since: "second", channels: [CHANNEL] },
    { since: "embedded", channels: ["private-office.1"] },
  ])
})

test("following a channel twice keeps its cursor", async () => {
  const page = openPage()
  page.stream.catchUp()
  await page.history.answer([], { cursor: "second" })
  page.stream.follow(CHANNEL)
  page.stream.catchUp()
  assert.equal(page.history.asked.at(-1).since, "second")
})

test("an unfollowed channel is dropped from a retried request", async () => {
  const page = openPage({ channels: [CHANNEL, "private-office.1"] })
  page.stream.catchUp()
  page.stream.unfollow("private-office.1")
  await page.history.fail()
  await page.clock.advance(1000)
  await page.history.answer()
  page.stream.catchUp()
  assert.deepEqual(
    page.history.asked.slice(1).map(({ channels }) => channels),
    [[CHANNEL], [CHANNEL]],
  )
})

test("a channel unfollowed during a request stays unfollowed", async () => {
  const page = openPage()
  page.stream.catchUp()
  page.stream.unfollow(CHANNEL)
  await page.history.answer()
  await page.stream.catchUp()
  assert.equal(page.history.asked.length, 1)
})

test("a page without channels sends no request", async () => {
  const page = openPage({ channels: [] })
  assert.equal(await page.stream.catchUp(), 0)
  assert.equal(await page.stream.catchUp(), 0)
  assert.deepEqual(page.history.asked, [])
  assert.deepEqual(page.caughtUp, [])
})

test("calls during a round share one further round", async () => {
  const page = openPage()
  const first = page.stream.catchUp()
  const others = [page.stream.catchUp(), page.stream.catchUp(), page.stream.catchUp()]
  assert.equal(page.history.asked.length, 1)
  await page.history.answer(replies(2), { cursor: "second" })
  assert.equal(page.history.asked.length, 2)
  await page.history.answer(replies(3, 4))
  assert.equal(await first, 1)
  assert.deepEqual(await Promise.all(others), [2, 2, 2])
  assert.equal(page.history.asked.length, 2)
})

test("a call between two rounds joins the second", async () => {
  const page = openPage()
  const first = page.stream.catchUp().then(() => page.stream.catchUp())
  page.stream.catchUp()
  await page.history.answer()
  await page.history.answer(replies(2))
  assert.equal(await first, 1)
  assert.equal(page.history.asked.length, 2)
})

// Failures

test("retries slow down to 30 s until the server answers", async () => {
  const page = openPage({ random: () => 1 })
  page.stream.catchUp()
  for (const seconds of [1, 2, 4, 8, 16, 30, 30]) {
    const asked = page.history.asked.length
    await page.history.fail(failure(503))
    await page.clock.advance(seconds * 1000 - 1)
    assert.equal(page.history.asked.length, asked)
    await page.clock.advance(1)
    assert.equal(page.history.asked.length, asked + 1)
  }
  await page.history.answer(replies(2))
  assert.deepEqual(page.shown, [2])
})

test("retries slow down to 5 s while nothing answers", async () => {
  const page = openPage({ random: () => 1 })
  page.stream.catchUp()
  for (const seconds of [1, 2, 4, 5, 5, 5]) {
    const asked = page.history.asked.length
    await page.history.fail()
    await page.clock.advance(seconds * 1000 - 1)
    assert.equal(page.history.asked.length, asked)
    await page.clock.advance(1)
    assert.equal(page.history.asked.length, asked + 1)
  }
})

test("pages that failed together retry at different times", async () => {
  const page = openPage({ random: () => 0.25 })
  page.stream.catchUp()
  await page.history.fail()
  await page.clock.advance(249)
  assert.equal(page.history.asked.length, 1)
  await page.clock.advance(1)
  assert.equal(page.history.asked.length, 2)
})

for (const [status, why] of [
  [429, "it asks too much"],
  [503, "the server is busy"],
]) {
  test(`a page that gets "${why}" waits for Retry-After`, async () => {
    const page = openPage()
    page.stream.catchUp()
    await page.history.fail(failure(status, { retryAfter: 7 }))
    await page.clock.advance(6999)
    assert.equal(page.history.asked.length, 1)
    await page.clock.advance(1)
    assert.equal(page.history.asked.length, 2)
  })
}

test("a 429 without Retry-After backs off as usual", async () => {
  const page = openPage()
  page.stream.catchUp()
  await page.history.fail(failure(429, { retryAfter: 0 }))
  await page.clock.advance(499)
  assert.equal(page.history.asked.length, 1)
  await page.clock.advance(1)
  assert.equal(page.history.asked.length, 2)
})

test("retryNow ends the wait after a failure", async () => {
  const page = openPage()
  page.stream.catchUp()
  await page.history.fail()
  page.stream.retryNow()
  await settle()
  assert.equal(page.history.asked.length, 2)
  assert.equal(page.clock.pending, 0)
  await page.history.answer(replies(2))
  assert.deepEqual(page.shown, [2])
})

test("retryNow ends the wait after a 503", async () => {
  const page = openPage()
  page.stream.catchUp()
  await page.history.fail(failure(503, { retryAfter: 7 }))
  page.stream.retryNow()
  await settle()
  assert.equal(page.history.asked.length, 2)
})

test("checkMissed ends pending waits", async () => {
  for (const status of [429, 503]) {
    const page = openPage()
    page.stream.catchUp()
    await page.history.fail(failure(status, { retryAfter: 30 }))
    await page.stream.checkMissed(async () => "further")
    await settle()
    assert.equal(page.history.asked.length, 1)
    page.receive(3)
    await page.clock.advance(300)
    assert.deepEqual(page.history.asked[1], { since: "further", channels: [CHANNEL] })
  }
})

test("retryNow does not shorten a rate limit", async () => {
  const page = openPage()
  page.stream.catchUp()
  await page.history.fail(failure(429, { retryAfter: 7 }))
  page.stream.retryNow()
  await page.clock.advance(6999)
  assert.equal(page.history.asked.length, 1)
})

test("a refused channel is reported and dropped; the rest is read at once", async () => {
  const page = openPage({ channels: [CHANNEL, "private-office.1", "private-office.2"] })
  page.stream.catchUp()
  await page.history.fail(failure(403, { refused: ["private-office.1"] }))
  assert.deepEqual(page.refused, ["private-office.1"])
  assert.deepEqual(page.history.asked.at(-1).channels, [CHANNEL, "private-office.2"])
  await page.history.answer(replies(2))
  assert.deepEqual(page.shown, [2])
  page.stream.catchUp()
  assert.deepEqual(page.history.asked.at(-1).channels, [CHANNEL, "private-office.2"])
})

test("a channel that the site does not have is dropped, and the session goes on", async () => {
  const page = openPage({ channels: [CHANNEL, "private-office.1"] })
  page.stream.catchUp()
  await page.history.fail(failure(400, { refused: ["private-office.1"] }))
  assert.deepEqual(page.refused, ["private-office.1"])
  await page.history.answer(replies(2))
  assert.deepEqual(page.shown, [2])
})

for (const status of [401, 403]) {
  test(`an ended session (${status}) refuses each channel and stops requests`, async () => {
    const page = openPage({ channels: [CHANNEL, "private-office.1"] })
    const caughtUp = page.stream.catchUp()
    await page.history.fail(failure(status))
    assert.deepEqual(page.refused, [CHANNEL, "private-office.1"])
    assert.equal(await caughtUp, 0)
    await page.clock.advance(60_000)
    assert.equal(page.history.asked.length, 1)
    assert.deepEqual(page.caughtUp, [])
  })
}

test("a refusal without channel names drops all requested channels", async () => {
  const page = openPage()
  page.stream.catchUp()
  await page.history.fail(failure(403, { refused: ["private-office.99"] }))
  assert.deepEqual(page.refused, [CHANNEL])
  assert.equal(page.history.asked.length, 1)
})

test("a channel refused in one batch leaves the other batches alone", async () => {
  const page = openPage({ channels: [...numbered(20), CHANNEL] })
  page.stream.catchUp()
  await page.history.fail(failure(401))
  await page.history.answer(replies(2))
  assert.deepEqual(page.refused, numbered(20))
  assert.deepEqual(page.shown, [2])
})

test("a refused channel followed again waits for the next round", async () => {
  const page = openPage()
  page.stream.on("stream:refused", ({ channel }) => page.stream.follow(channel))
  page.stream.catchUp()
  await page.history.fail(failure(403, { refused: [CHANNEL] }))
  assert.equal(page.history.asked.length, 1)
  page.stream.catchUp()
  assert.deepEqual(page.history.asked[1], { since: "embedded", channels: [CHANNEL] })
})

test("a refusal is reported once", async () => {
  const page = openPage({ channels: [CHANNEL, "private-office.1"] })
  page.stream.catchUp()
  page.stream.unfollow(CHANNEL)
  await page.history.fail(failure(403, { refused: [CHANNEL] }))
  assert.deepEqual(page.refused, [])
  assert.deepEqual(page.history.asked.at(-1).channels, ["private-office.1"])
})

// Close

test("closing during a request resolves it and applies nothing", async () => {
  const page = openPage()
  const caughtUp = page.stream.catchUp()
  const queued = page.stream.catchUp()
  page.stream.close()
  assert.deepEqual(await Promise.all([caughtUp, queued]), [0, 0])
  await page.history.answer(replies(2), { reset: true })
  page.receive(2)
  assert.deepEqual(page.shown, [])
  assert.deepEqual([...page.resets, ...page.caughtUp], [])
  assert.equal(await page.stream.catchUp(), 0)
  assert.equal(page.history.asked.length, 1)
})

test("closing during a wait resolves it and leaves no timer", async () => {
  const page = openPage()
  page.receive(3)
  const caughtUp = page.stream.catchUp()
  await page.history.fail()
  assert.equal(page.clock.pending, 2)
  page.stream.close()
  assert.equal(await caughtUp, 0)
  assert.equal(page.clock.pending, 0)
  await page.clock.advance(60_000)
  assert.equal(page.history.asked.length, 1)
})

test("a failure after close starts no retry", async () => {
  const page = openPage()
  page.stream.catchUp()
  page.stream.close()
  await page.history.fail()
  assert.equal(page.clock.pending, 0)
})

test("closing in a handler stops the events behind it", () => {
  const page = openPage()
  page.stream.on(REPLY, () => page.stream.close())
  page.receive(4, 3, 2)
  assert.deepEqual(page.shown, [2])
  assert.equal(page.clock.pending, 0)
})

// Handlers

test("a handler that throws affects neither other handlers nor the order", async () => {
  const page = openPage()
  const received = []
  page.stream.on(REPLY, () => {
    throw new Error("broken part")
  })
  page.stream.on(REPLY, ({ seq }) => received.push(seq))
  const errors = await reportedBy(() => page.receive(3, 2, 4))
  assert.deepEqual(received, [2, 3, 4])
  assert.deepEqual(errors, ["broken part", "broken part", "broken part"])
})

test("a handler that throws does not repeat the request", async () => {
  const page = openPage()
  page.stream.on(REPLY, () => {
    throw new Error("broken part")
  })
  await reportedBy(async () => {
    page.stream.catchUp()
    await page.history.answer(replies(2, 3), { cursor: "second" })
  })
  page.stream.catchUp()
  assert.equal(page.history.asked.at(-1).since, "second")
})

test("without reportError, errors go to the console", (t) => {
  const error = t.mock.method(console, "error", () => {})
  const page = openPage()
  page.stream.on(REPLY, () => {
    throw new Error("broken part")
  })
  page.receive(2)
  assert.equal(error.mock.calls[0].arguments[0].message, "broken part")
})

test("a handler receives its events with their names until removed", () => {
  const page = openPage()
  const received = []
  const unsubscribe = page.stream.on(UPDATED, (data, name) => received.push([name, data.seq]))
  page.stream.receive(UPDATED, reply(2))
  page.receive(3)
  unsubscribe()
  page.stream.receive(UPDATED, reply(4))
  assert.deepEqual(received, [[UPDATED, 2]])
})

test("a handler removed by another one misses the current event", () => {
  const page = openPage()
  const received = []
  page.stream.on(REPLY, () => unsubscribe())
  const unsubscribe = page.stream.on(REPLY, ({ seq }) => received.push(seq))
  page.receive(2)
  assert.deepEqual(received, [])
})

test(`"*" does not include the stream's own events`, async () => {
  const page = openPage()
  const names = []
  page.stream.on("*", (_, name) => names.push(name))
  page.stream.catchUp()
  await page.history.answer(replies(2), { reset: true })
  assert.deepEqual(names, [REPLY])
  assert.deepEqual(page.resets, [{ reason: "log" }])
})

test("events dispatched in a handler follow the current event", () => {
  const page = openPage()
  const received = []
  page.stream.on(REPLY, ({ seq }) => {
    if (seq === 2) page.receive(3)
  })
  page.stream.on(REPLY, ({ seq }) => received.push(seq))
  page.receive(2)
  assert.deepEqual(received, [2, 3])
})

test("a handler may forget the ticket while its events are applied", async () => {
  const page = openPage()
  page.stream.on(REPLY, ({ seq }) => {
    if (seq === 2) page.stream.forget(TICKET)
  })
  page.receive(4, 3, 2)
  assert.deepEqual(page.shown, [2])
  await page.clock.advance(1000)
  assert.deepEqual(page.history.asked, [])
})

// Random order

/** Returns a seeded random number generator. */
function seeded(seed) {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    const mixed = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) >>> 0
    return ((mixed ^ (mixed >>> 13)) >>> 0) / 2 ** 32
  }
}

/** A server with a log, a socket that loses, repeats and reorders events, and a history that often fails. */
class UnreliableServer {
  log = []
  onTheWay = []
  #seqs = new Map()
  #subscribed = new Set()

  constructor({ chance, clock }) {
    this.chance = chance
    this.clock = clock
  }

  pick(list) {
    return list[Math.floor(this.chance() * list.length)]
  }

  subscribe(ticket, stream) {
    const channel = `private-tickets.${ticket}`
    this.#subscribed.add(channel)
    stream.follow(channel)
  }

  commit(ticket) {
    const seq = (this.#seqs.get(ticket) ?? 0) + 1
    this.#seqs.set(ticket, seq)
    const event = logged(reply(seq, ticket), REPLY, `private-tickets.${ticket}`)
    this.log.push(event)
    if (!this.#subscribed.has(event.channel)) return
    if (this.chance() < 0.6) this.onTheWay.push(event)
    if (this.chance() < 0.3) this.onTheWay.push(event)
  }

  deliver(stream) {
    if (this.onTheWay.length === 0) return
    const [event] = this.onTheWay.splice(Math.floor(this.chance() * this.onTheWay.length), 1)
    stream.receive(event.event, event.data)
  }

  fetch = async ({ since, channels }) => {
    if (this.chance() < 0.3)
      throw this.pick([new TypeError("cut"), failure(500), failure(429, { retryAfter: 2 })])
    const events = this.log.slice(Number(since)).filter(({ channel }) => channels.includes(channel))
    const cursor = String(this.log.length)
    await new Promise((resolve) => this.clock.setTimeout(resolve, this.chance() * 400))
    return { events, cursor, reset: false }
  }
}

/** A page of an unreliable server: it shows every ticket from its start, and follows them one by one. */
function openUnreliablePage(seed) {
  const chance = seeded(seed)
  const clock = new FakeClock(chance)
  const server = new UnreliableServer({ chance, clock })
  const tickets = Array.from({ length: 2 + Math.floor(chance() * 30) }, (_, index) => `ticket-${index}`)
  const stream = new EventStream({ fetchHistory: server.fetch, cursor: "0", clock })
  const page = { chance, clock, server, tickets, stream, resets: [] }
  page.applied = new Map(tickets.map((ticket) => [ticket, []]))
  for (const ticket of tickets) stream.setSequence(ticket, 0)
  stream.on(REPLY, ({ ticket, seq }) => page.applied.get(ticket.uuid).push(seq))
  stream.on("stream:reset", (data) => page.resets.push(data))
  return page
}

function anyStep({ chance, clock, server, tickets, stream }) {
  return server.pick([
    () => server.subscribe(server.pick(tickets), stream),
    () => server.commit(server.pick(tickets)),
    () => server.commit(server.pick(tickets)),
    () => server.deliver(stream),
    () => server.deliver(stream),
    () => void stream.catchUp(),
    () => clock.advance(chance() * 250),
  ])
}

async function runSimulation(seed) {
  const page = openUnreliablePage(seed)
  const { clock, server, stream, tickets } = page
  for (let step = 0; step < 150; step++) await anyStep(page)()
  for (const ticket of tickets) server.subscribe(ticket, stream)
  while (server.onTheWay.length > 0) server.deliver(stream)
  const caughtUp = stream.catchUp()
  await clock.advance(3_600_000)
  await caughtUp
  return page
}

test("lost, doubled and shuffled events are applied once, in order", async () => {
  for (let seed = 1; seed <= 150; seed++) {
    const { server, applied, resets } = await runSimulation(seed)
    for (const [ticket, seqs] of applied) {
      const committed = server.log
        .filter(({ data }) => data.ticket.uuid === ticket)
        .map(({ data }) => data.seq)
      assert.deepEqual(seqs, committed, `seed ${seed}, ${ticket}`)
    }
    assert.deepEqual(resets, [], `seed ${seed}`)
  }
})

test("a changed audience continues with the other sequence", () => {
  const stream = new EventStream({
    fetchHistory: () => new Promise(() => {}),
    cursor: "start",
    clock: new FakeClock(),
  })
  const shown = []
  stream.on("*", (data) => shown.push(data.seq))
  stream.setSequence(TICKET, 6, "staff")
  stream.receive(REPLY, { ...reply(7), audience: "staff" })
  stream.receive(UPDATED, { ...reply(3), audience: "public" })
  stream.receive(REPLY, { ...reply(4), audience: "public" })
  stream.receive(REPLY, { ...reply(2), event_id: "late", audience: "public" })
  assert.deepEqual(shown, [7, 3, 4])
})

test("a handler whose signal is aborted receives no more events, and others still do", () => {
  const { stream } = openPage()
  const ended = new AbortController()
  const received = { ended: [], other: [] }
  stream.on(REPLY, ({ seq }) => received.ended.push(seq), { signal: ended.signal })
  stream.on(REPLY, ({ seq }) => received.other.push(seq))
  stream.receive(REPLY, reply(2))
  ended.abort()
  stream.receive(REPLY, reply(3))
  assert.deepEqual(received, { ended: [2], other: [2, 3] })
})
