/** Shows that a message is still being sent, and sends it again when the server can be reached. */

import { Resend } from "../lib/forms/resend.js"
import { submitAgain } from "../lib/forms/submitter.js"
import { config } from "../lib/page-config.js"
import { live } from "../live/index.js"

const SLOW_MS = 2_000

const resend = new Resend(live)
let timer = null

document.addEventListener("submit", ({ target }) => isComposer(target) && begin(target))
document.addEventListener("live-form:settled", ({ target }) => isComposer(target) && end(target))
document.addEventListener("live-form:failed", ({ target, detail }) => {
  if (isComposer(target) && detail.isUnanswered) sendLater(target)
})

function isComposer(form) {
  return form.matches("form.composer")
}

function begin(form) {
  clearTimeout(timer)
  timer = setTimeout(() => showSending(form, config.texts.sending), SLOW_MS)
}

function end(form) {
  clearTimeout(timer)
  showSending(form, "")
}

function showSending(form, text) {
  form.querySelector("[data-sending]").textContent = text
}

function sendLater(form) {
  const before = contentOf(form)
  const isScheduled = resend.schedule({
    key: form.elements.key.value,
    isUnchanged: () => contentOf(form) === before,
    send: () => submitAgain(form),
    giveUp: () => showError(form, config.texts.offline),
  })
  if (isScheduled) showError(form, config.texts.sent_later)
}

function showError(form, text) {
  form.querySelector("[data-error-for=__all__]").textContent = text
}

function contentOf(form) {
  const data = new FormData(form)
  return JSON.stringify(["message", "internal", "attachments"].map((name) => data.getAll(name)))
}
