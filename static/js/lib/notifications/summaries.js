/** Several notifications of a ticket as one entry: what it says is in `<template id="toast-...">`. */

/** Returns the word for several of a kind; undefined if there is none. */
export function summaryOf(kind) {
  return document.getElementById(`toast-${kind}`).dataset.summary
}

/** Returns what an entry for notifications of these kinds says, as the server's payload does. */
export function summarized(latest, kinds) {
  const word = summaryOf(latest.kind)
  const number = word ? kinds.filter((kind) => summaryOf(kind) === word).length : 1
  return { ...latest, summary: number > 1 ? word : null, number, more: kinds.length - number }
}
