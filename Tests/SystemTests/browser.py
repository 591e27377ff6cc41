"""A headless Chromium, driven by the DevTools protocol over two pipes."""

import base64
import json
import os
import select
import subprocess
import time

from lab import require


class Browser:
    """One page of a Chromium of the test's own."""

    def __init__(self, test):
        (chromium,) = require("chromium")
        # Chromium reads commands from descriptor 3 and writes answers to descriptor 4.
        there, self.commands = os.pipe()
        self.answers, back = os.pipe()
        spare = [os.dup2(there, 203), os.dup2(back, 204)]
        self.process = subprocess.Popen(
            ["bash", "-c", 'exec "$0" "$@" 3<&203 4>&204', chromium, "--headless", "--no-sandbox",
             "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server",
             "--disable-background-networking", "--remote-debugging-pipe",
             f"--user-data-dir={test.folder}/chromium", "about:blank"],
            pass_fds=spare, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True)
        for descriptor in (there, back, *spare):
            os.close(descriptor)
        test.addCleanup(self.close)
        self.buffer, self.events, self.number, self.session = b"", [], 0, None
        targets = self.ask("Target.getTargets")["targetInfos"]
        page = next(target for target in targets if target["type"] == "page")
        self.session = self.ask(
            "Target.attachToTarget", targetId=page["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Accessibility"):
            self.ask(f"{domain}.enable")

    def ask(self, method, **parameters):
        """The answer to a command; what else is told meanwhile goes to `events`."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.read(20)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def read(self, seconds):
        deadline = time.monotonic() + seconds
        while b"\0" not in self.buffer:
            left = deadline - time.monotonic()
            if left < 0 or not select.select([self.answers], [], [], left)[0]:
                raise AssertionError("Chromium does not answer")
            part = os.read(self.answers, 1 << 20)
            if not part:
                raise AssertionError("Chromium has ended")
            self.buffer += part
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def open(self, url, width=1280, height=900, dark=False):
        """Loads a page in a window of a size, and waits until all of it is there."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height,
                 deviceScaleFactor=1, mobile=width < 600)
        self.ask("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce"}])
        self.events.clear()
        self.ask("Page.navigate", url=url)
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(self.read(20))

    def evaluate(self, script):
        """What a script in the page gives, as JSON."""
        result = self.ask("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in result:
            raise AssertionError(result["exceptionDetails"])
        return result["result"].get("value")

    def press(self, key, code, text=""):
        for kind in ("keyDown", "keyUp"):
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, code=key,
                     windowsVirtualKeyCode=code, **({"text": text} if text else {}))

    def screenshot(self, path):
        """A picture of the whole page."""
        data = self.ask("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        path.write_bytes(base64.b64decode(data))

    def complaints(self):
        """What the page's console and its policy say, and requests to elsewhere."""
        found = []
        for event in self.events:
            if event["method"] == "Log.entryAdded":
                found.append(event["params"]["entry"]["text"])
            elif event["method"] == "Runtime.exceptionThrown":
                found.append(event["params"]["exceptionDetails"]["text"])
            elif event["method"] == "Network.requestWillBeSent":
                url = event["params"]["request"]["url"]
                if not url.startswith("http://127.0.0.1:"):
                    found.append(f"asks for {url}")
        return found

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.commands)
        os.close(self.answers)
