/** Jasmine tells, a line of JSON each, how many specs there are and how each ended. */

module.exports = class {
  jasmineStarted({ totalSpecsDefined: total }) {
    tell({ total })
  }
  specDone({ fullName: name, status, failedExpectations }) {
    if (status === "excluded") return
    tell({ name, status, why: failedExpectations.map(({ message }) => message) })
  }
}

function tell(what) {
  process.stdout.write(`${JSON.stringify(what)}\n`)
}
