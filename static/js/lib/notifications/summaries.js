/** Several notifications of a ticket as one entry: what it says is in `<template id="toast-...">`. */

/** Returns the word for several of a kind; undefined if there is none. */
export function summaryOf(kind) {
  return document.getElementById(`toast-${kind}`).dataset.summary
}

/** Returns what an entry for these notifications says, as the server's does: of what concerns the user, or of the latest. */
export function summarized(notifications) {
  const shown = notifications.findLast(({ kind }) => isPersonal(kind)) ?? notifications.at(-1)
  const word = summaryOf(shown.kind)
  const number = word ? notifications.filter(({ kind }) => summaryOf(kind) === word).length : 1
  return { ...shown, summary: number > 1 ? word : null, number, more: notifications.length - number }
}

/** Whether a kind concerns the user themselves, such as a mention. */
function isPersonal(kind) {
  return document.getElementById(`toast-${kind}`).hasAttribute("data-personal")
}
