/** The request and the errors of the event history. */

import assert from "node:assert/strict"
import { afterEach, test } from "node:test"

import { fetchHistory } from "../../static/js/live/history-api.js"

const QUESTION = { since: "cursor", channels: ["private-user.1", "private-office.2"] }
const fetchForReal = globalThis.fetch

function answer(body, { status = 200, headers = {} } = {}) {
  const asked = []
  globalThis.fetch = async (path) => {
    asked.push(path)
    return new Response(typeof body === "string" ? body : JSON.stringify(body), { status, headers })
  }
  return asked
}

afterEach(() => {
  globalThis.fetch = fetchForReal
})

test("the request has all channels and the cursor", async () => {
  const events = { events: [], cursor: "later", reset: false }
  const asked = answer(events)
  assert.deepEqual(await fetchHistory(QUESTION), events)
  assert.deepEqual(asked, [
    "/broadcasting/history?channel=private-user.1&channel=private-office.2&since=cursor",
  ])
})

test("the error of a refusal names the channels", async () => {
  answer({ detail: "No.", refused: ["private-office.2"] }, { status: 403 })
  await assert.rejects(fetchHistory(QUESTION), { message: "No.", status: 403, refused: ["private-office.2"] })
})

test("the error of a reverse proxy carries Retry-After", async () => {
  answer("503 Service Unavailable\n", { status: 503, headers: { "Retry-After": "7" } })
  await assert.rejects(fetchHistory(QUESTION), { status: 503, retryAfter: 7, refused: undefined })
})

test("an HTML page is not a history response", async () => {
  answer("<!doctype html>")
  await assert.rejects(fetchHistory(QUESTION), SyntaxError)
})

test("a cursor that the server does not know asks again without one, and reports a reset", async () => {
  const asked = []
  globalThis.fetch = async (path) => {
    asked.push(path)
    if (path.includes("since")) return new Response('{"code": "invalid_cursor"}', { status: 400 })
    return new Response('{"events": [], "cursor": "fresh", "reset": false}')
  }
  assert.deepEqual(await fetchHistory(QUESTION), { events: [], cursor: "fresh", reset: true })
  assert.equal(asked.length, 2)
})

test("another bad request is an error that names the channels", async () => {
  const body = { code: "invalid_channel", detail: "None.", refused: ["private-office.2"] }
  const asked = answer(body, { status: 400 })
  await assert.rejects(fetchHistory(QUESTION), { status: 400, refused: ["private-office.2"] })
  assert.equal(asked.length, 1)
})
