/** Live updates of a page while its connection is lost or refused, or the page sleeps; with the pusher-js of browsers. */

import assert from "node:assert/strict"
import { test } from "node:test"

import Echo from "laravel-echo"
import { echoOptions } from "../../static/js/live/echo-options.js"
import { LiveUpdates } from "../../static/js/live/live-updates.js"
import { watchAttempts } from "../../static/js/live/socket-attempts.js"
import { FakeClock } from "./clock.js"
import { FakeServer, FakeWindow } from "./window.js"

const CASEY = "33333333-0000-4000-8000-000000000000"
const OWN = `private-user.${CASEY}`
const TICKET = "private-tickets.11111111-0000-4000-8000-000000000000"
const CONFIG = { key: "tikm", user: CASEY, channels: [OWN], cursor: "embedded" }
const ADDRESS = { protocol: "https:", hostname: "desk.example", port: "" }

const SECOND = 1_000
const MINUTE = 60 * SECOND

function load({ clock = new FakeClock(), server = new FakeServer(clock), follows = [] } = {}) {
  const window = new FakeWindow(clock, server)
  const attempts = watchAttempts(window.Pusher)
  const echo = new Echo({ ...echoOptions(CONFIG, ADDRESS, () => "csrf"), Pusher: window.Pusher })
  const live = new LiveUpdates({
    config: CONFIG,
    echo,
    attempts,
    fetchHistory: server.history,
    world: window,
  })
  const page = { clock, server, window, live, states: [], resets: [], refused: [] }
  live.addEventListener("state", ({ detail }) => page.states.push(detail.state))
  live.addEventListener("reset", ({ detail }) => page.resets.push(detail))
  live.addEventListener("refused", ({ detail }) => page.refused.push(detail.channel))
  for (const channel of follows) live.follow(channel)
  live.start()
  return page
}

/** Returns a live page with an empty record. */
async function open(options) {
  const page = load(options)
  await page.clock.advance(SECOND)
  assert.equal(page.live.state, "connected")
  return clearRecord(page)
}

function clearRecord(page) {
  page.from = page.clock.now
  page.states.length =
    page.server.attempts.length =
    page.server.historyRequests.length =
    page.server.missedQuestions.length =
      0
  return page
}

/** Returns a page whose socket is closed with `code`, each time. */
async function refuse(code, message = "Because") {
  const page = await open()
  page.server.closing = { code, message }
  page.server.close(code, message)
  return page
}

function since(page, moments) {
  return moments.map((moment) => moment - page.from)
}

function gaps(moments) {
  return moments.slice(1).map((moment, index) => moment - moments[index])
}

test("channels on another host are authorized with the CSRF token of the moment", () => {
  let token = "old"
  const { auth } = echoOptions({ ...CONFIG, host: "sockets.example" }, ADDRESS, () => token)
  auth.headers["X-CSRF-TOKEN"] = "old" // as Echo does
  token = "new"
  assert.deepEqual({ ...auth.headers }, { "X-CSRFToken": "new", "X-CSRF-TOKEN": "new" })
})

// Connected

test("a loaded page asks the socket once for missed events and is live", async () => {
  const page = load()
  await page.clock.advance(SECOND)
  assert.deepEqual(page.states, ["connected"])
  assert.deepEqual([page.server.missedQuestions.length, page.server.historyRequests.length], [1, 0])
})

for (const [missed, wait] of [
  ["something", 0],
  [null, 3 * SECOND],
]) {
  test(`after the answer "${missed}" the history is read after ${wait} ms`, async () => {
    const clock = new FakeClock()
    const server = new FakeServer(clock)
    server.missed = missed
    const page = load({ clock, server })
    await clock.advance(wait)
    assert.deepEqual([page.states, server.historyRequests], [[], []])
    await clock.advance(100)
    assert.deepEqual([page.states, server.historyRequests.length], [["connected"], 1])
    await clock.advance(MINUTE)
    assert.equal(server.historyRequests.length, 1)
  })
}

test("a late answer does not count for the next question", async () => {
  const page = await open()
  page.server.missed = null
  page.server.confirmAgain(OWN)
  await page.clock.advance(2 * SECOND)
  page.server.confirmAgain(OWN)
  await page.clock.advance(2 * SECOND)
  clearRecord(page)
  page.server.broadcast("realtime:missed", { id: "2", cursor: "of the question before" })
  await page.clock.advance(SECOND - 100)
  assert.deepEqual(page.server.historyRequests, [])
  await page.clock.advance(200)
  assert.equal(page.server.historyRequests.length, 1)
})

test("a live page reads the history every five minutes", async () => {
  const page = await open()
  await page.clock.advance(16 * MINUTE)
  assert.equal(page.server.historyRequests.length, 3)
  assert.deepEqual(page.states, [])
  assert.equal(page.server.attempts.length, 0)
})

test("following another channel keeps the page live", async () => {
  const page = await open()
  page.server.unanswered = [TICKET]
  page.live.follow(TICKET)
  page.live.stream.catchUp()
  await page.clock.advance(MINUTE)
  assert.ok(page.server.historyRequests.length > 0)
  assert.deepEqual(page.states, [])
})

test("a channel that is no longer followed is unsubscribed, and can be followed again from a later cursor", async () => {
  const { live, clock, server } = await open({ follows: [TICKET] })
  live.unfollow(TICKET)
  await clock.advance(SECOND)
  assert.deepEqual(server.left, [TICKET])
  assert.equal(live.state, "connected")
  live.follow(TICKET, "of the new page")
  await clock.advance(SECOND)
  assert.equal(live.state, "connected")
  assert.deepEqual(server.asked.at(-1), { since: "of the new page", channels: [TICKET] })
})

test("a second subscription confirmation resets the channel", async () => {
  const page = await open()
  page.server.confirmAgain(OWN)
  assert.deepEqual(page.resets, [{ reason: "audience", channel: OWN }])
})

test(`a loaded page without a connection is "reconnecting" after five seconds`, async () => {
  const clock = new FakeClock()
  const server = new FakeServer(clock)
  server.hasSockets = server.hasHistory = false
  const page = load({ clock, server })
  await clock.advance(4 * SECOND)
  assert.deepEqual(page.states, [])
  await clock.advance(2 * SECOND)
  assert.deepEqual(page.states, ["reconnecting"])
})

// Lost connections

test("a lost connection is back after a second", async () => {
  const page = await open()
  page.server.close(1006)
  assert.deepEqual(page.states, ["reconnecting"])
  await page.clock.advance(2 * SECOND)
  assert.deepEqual(page.states, ["reconnecting", "connected"])
  assert.deepEqual(since(page, page.server.attempts), [SECOND])
})

for (const [code, wait] of [
  [1006, SECOND],
  [4200, 0],
]) {
  test(`a close with ${code} and no missed events does not read the history`, async () => {
    const page = await open()
    page.server.close(code)
    await page.clock.advance(MINUTE)
    assert.deepEqual(page.states, ["reconnecting", "connected"])
    const [askedAfter, ...more] = since(page, page.server.missedQuestions)
    assert.ok(askedAfter >= wait && askedAfter <= wait + 100)
    assert.deepEqual([more, page.server.historyRequests], [[], []])
  })
}

for (const [random, least] of [
  [0, SECOND],
  [1, 5 * SECOND],
]) {
  test(`a longer outage reads the history after ${least / SECOND} s, at random`, async () => {
    const page = await open({ clock: new FakeClock(() => random) })
    page.server.hasSockets = false
    page.server.close(1006)
    await page.clock.advance(7 * SECOND)
    const [first] = since(page, page.server.historyRequests)
    assert.ok(first >= least && first <= least + SECOND, first)
    assert.deepEqual(page.states, ["reconnecting", "polling"])
  })
}

test("a hidden page does not poll until it is visible", async () => {
  const page = await open()
  page.server.hasSockets = false
  page.window.hide(true)
  page.server.close(1006)
  await page.clock.advance(MINUTE)
  assert.deepEqual(page.server.historyRequests, [])
  page.window.hide(false)
  await page.clock.advance(100)
  assert.equal(page.server.historyRequests.length, 1)
})

test("a connection lost during the question is live when it is back", async () => {
  const page = await open()
  page.server.missed = null
  page.server.close(4200)
  await page.clock.advance(SECOND)
  page.server.missed = "nothing"
  page.server.close(1006)
  await page.clock.advance(5 * SECOND)
  assert.deepEqual(page.states, ["reconnecting", "connected"])
})

test("without sockets a page polls the history every five seconds", async () => {
  const page = await open()
  page.server.hasSockets = false
  page.server.close(1006)
  await page.clock.advance(MINUTE)
  assert.deepEqual(page.states, ["reconnecting", "polling"])
  for (const gap of gaps(page.server.historyRequests)) assert.ok(gap >= 5 * SECOND && gap <= 6 * SECOND, gap)
  assert.ok(page.server.historyRequests.length >= 10)
})

test("a page retries two to four seconds after each failed attempt", async () => {
  const page = await open()
  page.server.stop()
  await page.clock.advance(4 * MINUTE)
  const waits = gaps(since(page, page.server.attempts)).slice(1) // pusher-js makes the first retry, after a second
  for (const wait of waits) assert.ok(wait >= 2 * SECOND && wait <= 4.1 * SECOND, wait)
  assert.ok(waits.length > 55)
  assert.deepEqual(page.states, ["reconnecting"])
})

for (const outage of [7, 30, 110, 600]) {
  test(`a page is live within five seconds after sockets were refused for ${outage} s`, async () => {
    const page = await open({ clock: new FakeClock(() => 0.99) })
    page.server.hasSockets = false
    page.server.close(1006)
    await page.clock.advance(outage * SECOND)
    page.server.hasSockets = true
    await page.clock.advance(5 * SECOND)
    assert.equal(page.live.state, "connected")
    assert.equal(page.server.sockets, 1)
  })
}

for (const idle of [0, 3, 60]) {
  test(`a silent network is noticed within ten seconds, after ${idle} s without a message`, async () => {
    const page = await open()
    await page.clock.advance(idle * SECOND)
    page.server.isSilent = true
    await page.clock.advance(9 * SECOND)
    assert.notEqual(page.live.state, "connected")
    page.server.isSilent = false
    await page.clock.advance(25 * SECOND)
    assert.equal(page.live.state, "connected")
    assert.equal(page.server.sockets, 1)
  })
}

test("a page is not live from the moment that the browser is offline", async () => {
  const page = await open()
  page.window.dispatchEvent(new Event("offline"))
  assert.deepEqual(page.states, ["reconnecting"])
  page.window.dispatchEvent(new Event("online"))
  await page.clock.advance(5 * SECOND)
  assert.deepEqual(page.states, ["reconnecting", "connected"])
})

for (const hours of [-48, -1, 1, 48]) {
  test(`a clock that is set by ${hours} h stops neither polling nor the socket`, async () => {
    const page = await open()
    page.server.hasSockets = false
    page.server.close(1006)
    await page.clock.advance(20 * SECOND)
    page.clock.set(hours * 60 * MINUTE)
    page.server.historyRequests.length = 0
    await page.clock.advance(20 * SECOND)
    assert.ok(page.server.historyRequests.length >= 3)
    page.server.hasSockets = true
    await page.clock.advance(10 * SECOND)
    assert.equal(page.live.state, "connected")
  })
}

test("a page is live with its socket, even after history failures", async () => {
  const page = await open({ clock: new FakeClock(() => 0.99) })
  page.server.stop()
  await page.clock.advance(165 * SECOND)
  page.server.start()
  await page.clock.advance(5 * SECOND)
  assert.equal(page.live.state, "connected")
})

test(`polling becomes "reconnecting" when the history does not answer`, async () => {
  const page = await open()
  page.server.hasSockets = false
  page.server.close(1006)
  await page.clock.advance(20 * SECOND)
  page.server.hasHistory = false
  await page.clock.advance(25 * SECOND)
  assert.deepEqual(page.states, ["reconnecting", "polling", "reconnecting"])
})

for (const [code, wait] of [
  [1000, 1000],
  [1006, 1000],
  [1012, 1000],
  [4100, 1000],
  [4199, 1000],
  [4200, 0],
  [4201, 0],
  [4299, 0],
]) {
  test(`a close with ${code} is announced at once and is back after ${wait} ms`, async () => {
    const page = await open()
    page.server.close(code)
    await page.clock.advance(0)
    assert.deepEqual(page.states, ["reconnecting"])
    await page.clock.advance(2 * SECOND)
    assert.deepEqual(since(page, page.server.attempts), [wait])
    assert.equal(page.live.state, "connected")
  })
}

// Refusals

const REFUSED = [4001, 4003, 4004, 4005, 4006, 4007, 4008, 4009, 4099, 4300, 4999]

for (const code of REFUSED) {
  const heals = code === 4003 || code === 4004
  const [least, most] = heals ? [MINUTE, 2 * MINUTE] : [15 * MINUTE, 30 * MINUTE]
  const says = { 4003: "off", 4004: "busy" }[code] ?? "refused"

  test(`a page refused with ${code} announces it and polls the history`, async () => {
    const page = await refuse(code)
    await page.clock.advance(50 * SECOND)
    assert.equal(page.live.state, says)
    assert.equal(page.live.closeReason.code, code)
    const last = page.server.historyRequests.slice(-8)
    for (const gap of gaps(last)) assert.ok(gap >= 5 * SECOND && gap <= 6 * SECOND, gap)
  })

  test(`a page refused with ${code} reconnects after ${least / MINUTE} minutes at least`, async () => {
    const page = await refuse(code)
    await page.clock.advance(10 * SECOND)
    clearRecord(page)
    await page.clock.advance(least - 11 * SECOND)
    assert.deepEqual(page.server.attempts, [])
    page.server.closing = null
    await page.clock.advance(most - least + 10 * SECOND)
    assert.equal(page.server.attempts.length, 1)
    assert.deepEqual(page.states, ["connected"])
    assert.equal(page.live.closeReason, null)
  })
}

test("a refusal during loading is announced at once", async () => {
  const clock = new FakeClock()
  const server = new FakeServer(clock)
  server.closing = { code: 4001, message: "There is no app with this key." }
  const page = load({ clock, server })
  await clock.advance(SECOND)
  assert.deepEqual(page.states, ["reconnecting", "refused"])
  assert.equal(page.live.closeReason.message, "There is no app with this key.")
})

test("a second refusal announces its own reason", async () => {
  const page = await refuse(4003)
  await page.clock.advance(10 * SECOND)
  page.server.closing = { code: 4001 }
  const codes = []
  page.live.addEventListener("state", () => codes.push(page.live.closeReason.code))
  await page.clock.advance(2 * MINUTE)
  assert.deepEqual(codes, [4001])
})

test("a network change does not shorten the delay after a refusal", async () => {
  const page = await refuse(4001)
  await page.clock.advance(10 * SECOND)
  clearRecord(page)
  page.window.dispatchEvent(new Event("online"))
  await page.clock.advance(MINUTE)
  assert.deepEqual(page.server.attempts, [])
  assert.ok(since(page, page.server.historyRequests)[0] <= 500)
})

test("a page with a renewed session reconnects without a refusal", async () => {
  const page = await open()
  page.server.close(4009)
  await page.clock.advance(5 * SECOND)
  assert.ok(!page.states.includes("refused"))
  assert.equal(page.live.state, "connected")
  assert.equal(page.server.attempts.length, 1)
})

test("a session can be renewed twice", async () => {
  const page = await open()
  for (let times = 0; times < 3; times++) {
    page.server.close(4009)
    await page.clock.advance(5 * SECOND)
    assert.equal(page.live.state, "connected")
  }
})

test(`a wrong "signed out" close is checked once`, async () => {
  const page = await refuse(4009)
  await page.clock.advance(MINUTE)
  assert.equal(page.server.attempts.length, 1)
  assert.deepEqual(page.states, ["reconnecting", "polling", "refused"])
})

test("a signed-out page ends and sends no further request", async () => {
  const page = await open()
  page.server.isSignedIn = false
  page.server.close(4009)
  await page.clock.advance(SECOND)
  assert.deepEqual(page.states, ["reconnecting", "ended"])
  clearRecord(page)
  page.window.dispatchEvent(new Event("online"))
  page.window.hide(false)
  await page.clock.advance(60 * MINUTE)
  assert.deepEqual([page.server.attempts, page.server.historyRequests, page.states], [[], [], []])
})

/** Returns a live ticket page. */
async function openTicket({ clock = new FakeClock(), server = new FakeServer(clock) } = {}) {
  const page = load({ clock, server, follows: [TICKET] })
  await clock.advance(SECOND)
  assert.equal(page.live.state, "connected")
  return page
}

function signOut(server) {
  server.isSignedIn = false
  server.forbidden = [OWN, TICKET]
}

test("signing out by socket does not report a refused ticket", async () => {
  const { clock, server, live, refused } = await openTicket()
  server.hasHistory = false
  signOut(server)
  server.close(4200)
  await clock.advance(MINUTE)
  assert.deepEqual([live.state, refused], ["ended", []])
})

test("signing out by history does not report a refused ticket", async () => {
  const clock = new FakeClock()
  const server = new FakeServer(clock)
  const { history } = server
  server.history = async (request) => {
    if (request.channels.includes(OWN)) await new Promise((resolve) => clock.setTimeout(resolve, 100))
    return await history(request)
  }
  const { live, refused } = load({ clock, server })
  await clock.advance(SECOND)
  live.follow(TICKET)
  signOut(server)
  server.close(4009)
  await clock.advance(MINUTE)
  assert.deepEqual([live.state, refused], ["ended", []])
})

for (const way of ["socket", "history"]) {
  test(`a page that was signed out by the ${way} goes on when its user is signed in again`, async () => {
    const page = await openTicket()
    const { clock, server, live, states } = page
    server.hasHistory = way === "history"
    signOut(server)
    server.close(way === "history" ? 4009 : 4200)
    await clock.advance(MINUTE)
    assert.equal(live.state, "ended")
    Object.assign(server, { isSignedIn: true, hasHistory: true, forbidden: [] })
    await clock.advance(MINUTE)
    assert.equal(live.state, "ended")
    clearRecord(page)
    live.resume()
    await clock.advance(5 * SECOND)
    assert.deepEqual([states.at(0), states.at(-1)], ["reconnecting", "connected"])
    assert.equal(server.sockets, 1)
    live.resume()
    await clock.advance(MINUTE)
    assert.equal(live.state, "connected")
    signOut(server)
    server.close(4009)
    await clock.advance(MINUTE)
    assert.equal(live.state, "ended")
  })
}

test("a refused ticket is reported and the page stays live", async () => {
  const { clock, server, live, refused } = await openTicket()
  server.forbidden = [TICKET]
  server.confirmAgain(TICKET)
  await clock.advance(MINUTE)
  assert.deepEqual([live.state, refused], ["connected", [TICKET]])
})

test("a refused user channel ends the page and disconnects", async () => {
  const page = await open()
  page.server.forbidden = [OWN]
  page.server.confirmAgain(OWN)
  await page.clock.advance(MINUTE)
  assert.deepEqual(page.states, ["ended"])
  assert.equal(page.server.sockets, 0)
})

// Repeated closes

for (const code of [4100, 4200]) {
  test(`repeated closes with ${code} stop retries for one to two minutes`, async () => {
    const page = await refuse(code, "Over capacity.")
    await page.clock.advance(MINUTE)
    assert.equal(page.live.state, "busy")
    assert.ok(page.server.attempts.length <= 5)
    page.server.closing = null
    await page.clock.advance(2 * MINUTE)
    assert.equal(page.live.state, "connected")
    assert.ok(page.server.attempts.length <= 6)
  })
}

test("repeated closes right after connecting stop retries", async () => {
  const page = await open()
  for (let times = 0; times < 10; times++) {
    page.server.close(4100)
    await page.clock.advance(2 * SECOND)
  }
  assert.equal(page.live.state, "busy")
  assert.equal(page.server.attempts.length, 5)
  await page.clock.advance(2 * MINUTE)
  assert.equal(page.live.state, "connected")
})

test("five restarts in an afternoon each reconnect at once", async () => {
  const page = await open()
  for (let times = 0; times < 10; times++) {
    page.server.close(4200)
    await page.clock.advance(20 * SECOND)
    assert.equal(page.live.state, "connected")
  }
  assert.equal(page.server.attempts.length, 10)
})

test(`too many pages of a user give the state "crowded"`, async () => {
  const page = await refuse(4101)
  await page.clock.advance(20 * SECOND)
  assert.equal(page.live.state, "crowded")
})

test("too many connections from an address is not the fault of the user's pages", async () => {
  const page = await refuse(4100, "Too many connections for this user.")
  await page.clock.advance(20 * SECOND)
  assert.equal(page.live.state, "busy")
})

// Page lifecycle

test("a page that wakes polls at once and reconnects within three seconds", async () => {
  const page = await open()
  page.clock.sleep(8 * 60 * MINUTE)
  clearRecord(page)
  await page.clock.advance(10 * SECOND)
  assert.ok(since(page, page.server.historyRequests)[0] <= 500)
  assert.equal(page.server.attempts.length, 1)
  assert.ok(since(page, page.server.attempts)[0] <= 3 * SECOND)
  assert.deepEqual(page.states, ["reconnecting", "connected"])
  await page.clock.advance(60 * MINUTE)
  assert.equal(page.server.attempts.length, 1)
  assert.equal(page.server.sockets, 1)
})

test("a page restored from the browser's cache reconnects", async () => {
  const page = await open()
  page.window.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }))
  await page.clock.advance(10 * SECOND)
  assert.equal(page.server.attempts.length, 1)
  page.window.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: false }))
  await page.clock.advance(10 * SECOND)
  assert.equal(page.server.attempts.length, 1)
})

test("a throttled hidden page does not count as asleep", async () => {
  const page = await open()
  page.window.hide(true)
  await page.clock.advance(2 * SECOND)
  for (let times = 0; times < 10; times++) {
    page.clock.sleep(MINUTE)
    await page.clock.advance(SECOND)
  }
  page.window.hide(false)
  await page.clock.advance(5 * SECOND)
  assert.ok(!page.states.includes("reconnecting"))
})

test("a hidden page sends no request until it is visible", async () => {
  const page = await open()
  page.server.hasSockets = false
  page.server.close(1006)
  page.window.hide(true)
  await page.clock.advance(10 * SECOND)
  clearRecord(page)
  await page.clock.advance(10 * MINUTE)
  assert.deepEqual(page.server.historyRequests, [])
  page.window.hide(false)
  assert.deepEqual(since(page, page.server.historyRequests), [10 * MINUTE])
})

test("thirty pages reconnect spread out", async () => {
  const draws = { count: 0 }
  const clock = new FakeClock(() => (draws.count++ * 0.618_034) % 1)
  const server = new FakeServer(clock)
  const pages = Array.from({ length: 30 }, () => load({ clock, server }))
  await clock.advance(SECOND)
  server.stop()
  await clock.advance(2 * SECOND)
  server.start()
  const [page] = pages.map(clearRecord)
  for (const { window } of pages) window.dispatchEvent(new Event("online"))
  await clock.advance(5 * SECOND)
  assert.ok(pages.every(({ live }) => live.state === "connected"))
  assert.equal(server.attempts.length, 30)
  const arrivals = since(page, server.attempts)
  for (const begin of arrivals) {
    assert.ok(arrivals.filter((moment) => moment >= begin && moment < begin + 300).length <= 6)
  }
})
