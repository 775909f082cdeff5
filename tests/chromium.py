"""A headless Chromium that tests drive as somebody at the keyboard would, over its debugging protocol."""

import base64
import itertools
import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import websocket

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
AXE = Path(__file__).parents[1] / "requirements/axe/node_modules/axe-core/axe.min.js"
HELPERS = """
const is = (e, text) => e.offsetParent && e.textContent.trim() === text;
const shown = (tag, text) => [...document.querySelectorAll(tag)].find(e => is(e, text));
const field = name => document.querySelector(`[name="${name}"]`);
function enter(name, text) {
  const prototype = field(name).tagName === "SELECT" ? HTMLSelectElement.prototype : HTMLInputElement.prototype;
  Object.getOwnPropertyDescriptor(prototype, "value").set.call(field(name), text);
  for (const kind of ["input", "change"]) field(name).dispatchEvent(new Event(kind, {bubbles: true}));
  return field(name).value;
}
"""
"""What a user does with a form: a value that is set past the page's own script, then the events of typing."""


class Page:
    """The one page of a browser."""

    def __init__(self, address: str) -> None:
        self._socket = websocket.create_connection(address, suppress_origin=True, timeout=90)
        self._numbers = itertools.count(1)

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while (answer := json.loads(self._socket.recv())).get("id") != number:
            continue  # an event, which nobody asked for
        assert "error" not in answer, answer
        found: dict[str, Any] = answer["result"]
        return found

    def close(self) -> None:
        self._socket.close()

    def open(self, url: str) -> None:
        self._call("Page.navigate", url=url)

    def ask(self, script: str) -> Any:
        """The value of an expression on the page."""
        code = f"(() => {{ {HELPERS} return ({script}); }})()"
        answer = self._call("Runtime.evaluate", expression=code, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def violations(self, within: str = "html") -> list[str]:
        """What axe-core finds wrong with this part of the page as it is shown now: the rule, where, and why."""
        self._call("Runtime.evaluate", expression=AXE.read_text())
        code = f"axe.run({json.dumps(within)}).then(found => found.violations)"
        answer = self._call("Runtime.evaluate", expression=code, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return [
            f"{rule['id']}: {node['html'][:160]}: {node['failureSummary']}"
            for rule in answer["result"]["value"]
            for node in rule["nodes"]
        ]

    def look(self, width: int, height: int, scheme: str) -> None:
        """The window has this size in pixels from now on, and its user likes a `light` or a `dark` scheme."""
        self._call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self._call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def hide_scrollbars(self) -> None:
        self._call("Emulation.setScrollbarsHidden", hidden=True)

    def processor_s(self) -> float:
        """The processor time that the main thread of the page's process has used so far."""
        self._call("Performance.enable", timeDomain="threadTicks")
        found = self._call("Performance.getMetrics")["metrics"]
        return next(float(each["value"]) for each in found if each["name"] == "TaskDuration")

    def slow_down(self, times: float) -> None:
        """The browser's processor is so many times slower from now on."""
        self._call("Emulation.setCPUThrottlingRate", rate=times)

    def wait(self, script: str, timeout: float = 15.0) -> Any:
        """The value of an expression as soon as it is true."""
        end = time.monotonic() + timeout
        while not (found := self.ask(script)):
            assert time.monotonic() < end, f"still not: {script}\n{self.ask('document.body.innerText')}"
            time.sleep(0.05)
        return found

    def enter(self, name: str, text: str) -> None:
        """Types into the field of that name, or picks from it."""
        assert self.ask(f"enter({json.dumps(name)}, {json.dumps(text)})") == text, f"{name} does not offer {text}"

    def type(self, text: str) -> None:
        """Types where the cursor is."""
        self._call("Input.insertText", text=text)

    def click(self, tag: str, text: str) -> None:
        self.wait(f"!!shown({json.dumps(tag)}, {json.dumps(text)})")
        self.ask(f"shown({json.dumps(tag)}, {json.dumps(text)}).click()")

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self._call("Page.captureScreenshot")["data"]))


def _address(profile: Path, process: "subprocess.Popen[bytes]") -> str:
    """Where its page is debugged, as soon as it says so."""
    told, end = profile / "DevToolsActivePort", time.monotonic() + 30
    while not (told.exists() and told.read_text().count("\n")):
        assert process.poll() is None, "Chromium ended"
        assert time.monotonic() < end, "Chromium did not start"
        time.sleep(0.05)
    port = told.read_text().split("\n")[0]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=10) as response:
        return next(str(page["webSocketDebuggerUrl"]) for page in json.load(response) if page["type"] == "page")


@contextmanager
def browsing(profile: Path, size: str = "1400,1000") -> Iterator[Page]:
    """A browser with a profile of its own, ended with all its processes."""
    assert PROGRAM
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", f"--window-size={size}"]
    command = [PROGRAM, *options, f"--user-data-dir={profile}", "about:blank"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        page = Page(_address(profile, process))
        try:
            yield page
        finally:
            page.close()
    finally:
        process.terminate()
        process.wait(timeout=20)
