/** Keeps what is written into a form, as a draft on the server and in this browser, on all pages of the person. */

import "./draft-notice.js"
import { ServerDraft, storedOf } from "../../lib/drafts/server-draft.js"
import { SyncedDraft } from "../../lib/drafts/synced-draft.js"
import { onLeave, signalOf } from "../../lib/page-parts/lifetime.js"
import { drafts } from "../../lib/session.js"
import { live } from "../../live/index.js"

/**
 * @param {HTMLElement} root has data-draft, the name of the draft: a ticket's UUID or "new-ticket"; data-draft-address;
 *   the fields "draft" and those of the form; a <draft-notice>
 * @param {{read: () => object, write: (content: object) => void}} fields
 * @param {{wasSubmitted?: boolean}} [options] the form was submitted, and no page has shown what became of it
 * @returns {SyncedDraft}
 */
export function keepDraft(root, fields, { wasSubmitted = false } = {}) {
  const name = root.dataset.draft
  const notice = root.querySelector("draft-notice")
  const version = root.querySelector("input[name=draft]")
  const form = {
    ...fields,
    isInUse: () => document.hasFocus() && root.contains(document.activeElement),
  }
  const signal = signalOf(root)
  const server = new ServerDraft(root.dataset.draftAddress, live)
  const draft = new SyncedDraft({
    form,
    server,
    // A page of a user who has signed out keeps nothing: the next person on this browser would find it.
    local: {
      load: () => drafts.load(name),
      save: (kept) => live.state === "ended" || drafts.save(name, kept),
      remove: () => drafts.remove(name),
    },
    onOffer: (offer) => showOffer(offer),
  })

  function showOffer(offer) {
    if (offer) notice.show("offered", { use: takeOffer, keep: () => draft.refuseOffer() })
    else notice.show(null)
  }

  function takeOffer() {
    const before = draft.takeOffer()
    notice.show("replaced", { undo: () => undo(before) })
  }

  function undo(before) {
    form.write(before)
    notice.show(null)
    draft.changed()
  }

  root.addEventListener("input", () => draft.changed())
  root.addEventListener("change", () => draft.changed())
  root.addEventListener("file-picker:changed", () => draft.changed())
  root.addEventListener("submit", () => setVersion(), { capture: true })
  live.addEventListener("state", () => draft.check(), { signal })
  live.stream.on("draft.saved", onSaved, { signal })
  // The person may have written on another device since; only beginning and end of a draft are in the history.
  document.addEventListener("visibilitychange", () => document.hidden || draft.look(), { signal })
  onLeave(root, () => draft.leave())
  document.addEventListener("session:ending", ({ detail }) => detail.waitFor(draft.flush()), { signal })
  signal.addEventListener("abort", () => server.close())

  function onSaved({ draft: { ticket, version: newest } }) {
    if ((ticket ?? "new-ticket") === name) draft.notice(newest)
  }

  function setVersion() {
    version.value = String(draft.base)
  }

  const isSubmitted = root.hasAttribute("data-submitted")
  draft.start(storedOf(JSON.parse(document.getElementById("stored-draft").textContent)), {
    submittedBase: isSubmitted ? Number(version.value) : null,
    wasSubmitted,
  })
  return draft
}
