"""JUnit's XML: one test for each deployment; failed if a finding that is not accepted violates it, skipped if nothing
was exercised."""

import re
from xml.etree import ElementTree

from statelab.audit.finding import Audit
from statelab.audit.text import told

NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(audit: Audit) -> str:
    verdicts = [verdict.verdict for verdict in audit.verdicts.values()]
    found = {name: [one for one in audit.findings if name in one.deployments] for name in audit.verdicts}
    suite = ElementTree.Element(
        "testsuite",
        name="statelab audit",
        tests=str(len(verdicts)),
        failures=str(sum(map(bool, found.values()))),
        errors="0",
        skipped=str(verdicts.count("not-exercised")),
    )
    for name, verdict in audit.verdicts.items():
        case = ElementTree.SubElement(suite, "testcase", classname=audit.app, name=name)
        if found[name]:
            anomalies = dict.fromkeys(finding.anomaly for finding in found[name])
            failure = ElementTree.SubElement(case, "failure", type="violated", message=", ".join(anomalies))
            texts = ("\n".join(told(number, finding)) for number, finding in enumerate(found[name], 1))
            failure.text = NOT_IN_XML.sub("\ufffd", "\n\n".join(texts))
        elif verdict.verdict == "not-exercised":
            reason = NOT_IN_XML.sub("\ufffd", " | ".join(audit.notes))
            ElementTree.SubElement(case, "skipped", message=reason or "not exercised")
    ElementTree.indent(suite, " ")
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"
