"""`make audit` reports known vulnerabilities, and does not pass off what it could not look up as audited."""

from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

import pytest

PATH = Path(__file__).parent.parent / ".ci" / "audit"
LOADER = SourceFileLoader("audit", str(PATH))
audit = module_from_spec(spec_from_loader("audit", LOADER))
LOADER.exec_module(audit)

CLEAN = {"name": "django", "version": "5.2.19", "vulns": []}
UNKNOWN = {"name": "nh3", "skip_reason": "Dependency not found on PyPI and could not be audited"}
VULNERABLE = {"name": "a", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]}
NPM = {"auditReportVersion": 2, "vulnerabilities": {}}
BAD_NPM = NPM | {"vulnerabilities": {"b": {"range": "<2", "severity": "high"}}}


@pytest.mark.parametrize(
    ("python", "javascript", "status", "words"),
    [
        ([CLEAN], NPM, 0, ["Python packages: 0 known", "JavaScript packages: 0 known"]),
        ([CLEAN, UNKNOWN], NPM, 0, ["Python packages: 0 known"]),
        ([UNKNOWN], NPM, 0, ["Python packages were not audited"]),
        ([], {"message": "405 Method Not Allowed"}, 0, ["Python packages were not", "JavaScript packages were not"]),
        ([CLEAN, VULNERABLE], NPM, 1, ["a 1: PYSEC-1, fixed in 2"]),
        ([VULNERABLE], {}, 1, ["a 1: PYSEC-1", "JavaScript packages were not"]),
        ([UNKNOWN], BAD_NPM, 1, ["b <2: high"]),
    ],
)
def test_audit_reports(
    monkeypatch: Any, capsys: Any, python: list[Any], javascript: Any, status: int, words: list[str]
) -> None:
    reports = {audit.PIP: {"dependencies": python}, audit.NPM: javascript}
    monkeypatch.setattr(audit, "report", reports.__getitem__)
    assert audit.main() == status
    printed = capsys.readouterr().out
    assert all(word in printed for word in words)


@pytest.mark.parametrize("command", ["no-such-program", "echo not-json", "echo []", "false"])
def test_report_of_a_command_that_fails_is_empty(command: str) -> None:
    assert audit.report(command) == {}
