"""JUnit's XML: one test for each deployment, failed where it is violated, skipped where nothing was exercised."""

import re
from xml.etree import ElementTree

from statelab.audit.finding import Audit
from statelab.audit.text import told

NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(audit: Audit) -> str:
    verdicts = [verdict.verdict for verdict in audit.verdicts.values()]
    suite = ElementTree.Element(
        "testsuite",
        name="statelab audit",
        tests=str(len(verdicts)),
        failures=str(verdicts.count("violated")),
        errors="0",
        skipped=str(verdicts.count("not-exercised")),
    )
    for name, verdict in audit.verdicts.items():
        case = ElementTree.SubElement(suite, "testcase", classname=audit.app, name=name)
        if verdict.verdict == "violated":
            failure = ElementTree.SubElement(case, "failure", type="violated", message=", ".join(verdict.anomalies))
            found = [finding for finding in audit.findings if name in finding.deployments]
            failure.text = NOT_IN_XML.sub("\ufffd", "\n\n".join("\n".join(told(n, f)) for n, f in enumerate(found, 1)))
        elif verdict.verdict == "not-exercised":
            reason = NOT_IN_XML.sub("\ufffd", " | ".join(audit.notes))
            ElementTree.SubElement(case, "skipped", message=reason or "not exercised")
    ElementTree.indent(suite, " ")
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"
