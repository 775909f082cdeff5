"""SARIF 2.1.0, which code hosts show beside the lines of code.

Source: OASIS, Static Analysis Results Interchange Format 2.1.0. Paths are relative to the folder where the audit was
started, as code hosts expect. A finding without a line of the app has no location.
"""

import json
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from statelab.audit.finding import MEANINGS, Audit, Finding, path_from_start

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def render(audit: Audit) -> str:
    run = {
        "tool": {
            "driver": {
                "name": "statelab",
                "semanticVersion": audit.manifest["statelab"],
                "rules": [
                    {"id": anomaly, "shortDescription": {"text": meaning}} for anomaly, meaning in MEANINGS.items()
                ],
            }
        },
        "results": [_result(audit, finding) for finding in audit.findings],
        "properties": {"deployments": {name: verdict.verdict for name, verdict in audit.verdicts.items()}},
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _result(audit: Audit, finding: Finding) -> dict[str, Any]:
    return {
        "ruleId": finding.anomaly,
        "ruleIndex": list(MEANINGS).index(finding.anomaly),
        "level": "error",
        "message": {
            "text": f"{', '.join(finding.requests)}, {finding.world}: expected {finding.expected}; observed"
            f" {finding.observed}. To mend it, {finding.fix}."
        },
        "locations": list(_locations(audit, finding)),
        "partialFingerprints": {"statelabKey/v1": finding.key},
        "properties": {
            "deployments": list(finding.deployments),
            "places": [change.place for change in finding.places],
            "schedule": list(finding.schedule),
        },
    }


def _locations(audit: Audit, finding: Finding) -> Iterator[dict[str, Any]]:
    for source in finding.source:
        path = PurePath(path_from_start(audit, source))
        artifact = {"uri": path.as_uri()} if path.is_absolute() else {"uri": path.as_posix(), "uriBaseId": "%SRCROOT%"}
        region: dict[str, Any] = {"startLine": source.line}
        if source.text:
            region["snippet"] = {"text": source.text}
        yield {
            "physicalLocation": {"artifactLocation": artifact, "region": region},
            "logicalLocations": [{"name": source.function, "kind": "function"}],
        }
