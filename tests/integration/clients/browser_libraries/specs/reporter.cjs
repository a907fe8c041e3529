/** A Jasmine reporter that writes the number of specs, and the result of each, as JSON lines. */

module.exports = class {
  jasmineStarted({ totalSpecsDefined: total }) {
    report({ total })
  }
  specDone({ fullName: name, status, failedExpectations }) {
    if (status === "excluded") return
    report({ name, status, why: failedExpectations.map(({ message }) => message) })
  }
}

function report(what) {
  process.stdout.write(`${JSON.stringify(what)}\n`)
}
