"""The page for people, in a real browser: looks, names, contrast, keyboard, live figures.

WEIR_SCREENSHOTS=FOLDER keeps the pictures, to be looked at.
"""

import os
import pathlib
import statistics
import time
import urllib.request

import test_demo
from browser import Browser
from lab import wait_for
from weir import samples

SIZES = {"phone": (360, 740), "tablet": (820, 1100), "desk": (1440, 900)}
CHECKS = (pathlib.Path(__file__).parent / "checks.js").read_text()


class PageTests(test_demo.DemoTests):
    # The demo's own tests run in their own file.
    test_runs_its_time_and_reports = test_interrupt_ends_it_cleanly = None

    def setUp(self):
        super().setUp()
        self.daemon, metrics, self.port = self.demo("--duration", "10m", "--clients", "8")
        self.url = f"http://127.0.0.1:{self.port}"

        def moving():
            values = samples(test_demo.fetch(metrics))
            return (sum(value for name, value in values.items()
                        if name.startswith("weir_alerts_firing")) > 0
                    and values["ipsec_receive_bytes_total"] > 0)
        wait_for("sessions, traffic and an alert", moving, 40, every=0.5)

    def get(self, path):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        started = time.monotonic()
        with opener.open(self.url + path, timeout=30) as answer:
            return answer.read(), answer.headers, time.monotonic() - started

    def test_in_a_browser(self):
        pictures = pathlib.Path(os.environ.get("WEIR_SCREENSHOTS", self.folder))
        browser = Browser(self)
        for name, (width, height) in SIZES.items():
            for dark in (False, True):
                with self.subTest(size=name, dark=dark):
                    browser.open(self.url + "/", width, height, dark)
                    self.assertEqual(browser.evaluate(CHECKS), [])
                    wait_for("live figures", lambda: browser.evaluate(
                        "document.getElementById('live').textContent") == "live", 30)
                    self.assertEqual(browser.complaints(), [])
                    path = pictures / f"page-{name}-{'dark' if dark else 'light'}.png"
                    browser.screenshot(path)
                    self.assertGreater(path.stat().st_size, 10_000)
        self.rates_from_the_start()
        self.live(browser)
        self.keyboard(browser)
        self.sorting(browser)
        self.proves_itself(browser)

    def rates_from_the_start(self):
        """The first answer that a person gets has rates, without a second look."""
        body = self.get("/")[0].decode()
        for figure in ("receive", "transmit"):
            self.assertRegex(body, rf'id="f-{figure}">[0-9.]+ .?bit/s<')

    def live(self, browser):
        browser.open(self.url + "/")
        before = browser.evaluate("document.getElementById('now').textContent")
        wait_for("a later time", lambda: browser.evaluate(
            "document.getElementById('now').textContent") != before, 30, every=0.5)

    def keyboard(self, browser):
        """Everything that can be used can be reached, in order, and shows that it was."""
        browser.open(self.url + "/")
        count = browser.evaluate("document.querySelectorAll('a[href], [tabindex=\"0\"]').length")
        self.assertGreater(count, 15)
        reached = []
        for _ in range(count):
            browser.press("Tab", 9)
            reached.append(browser.evaluate("""(() => {
                const e = document.activeElement, s = getComputedStyle(e);
                return [[...document.querySelectorAll('*')].indexOf(e),
                        s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2,
                        e.getBoundingClientRect().left >= 0, e.textContent.trim().slice(0, 30)];
            })()"""))
        places = [place for place, *_ in reached]
        self.assertEqual(places, sorted(set(places)))
        self.assertEqual([text for _, seen, inside, text in reached if not (seen and inside)], [])

    def sorting(self, browser):
        def column(place):
            return browser.evaluate(
                "[...document.querySelectorAll('#sessions-c')].map(c => [...c.closest('table')"
                f".querySelectorAll('tbody tr')].map(r => r.cells[{place}].textContent))[0]")
        browser.open(self.url + "/?sessions=identity&sessions_order=asc")
        names = column(0)
        self.assertGreater(len(names), 2)
        self.assertEqual(names, sorted(names))
        self.assertTrue(all(name.startswith("id:") for name in names), names)
        browser.open(self.url + "/?sessions=identity&sessions_order=desc&span=month")
        names = column(0)
        self.assertEqual(names, sorted(names, reverse=True))
        self.assertEqual(browser.evaluate(
            "document.querySelector('[aria-current]').textContent"), "Last month")
        self.sorting_by_keys(browser)

    def sorting_by_keys(self, browser):
        """Enter on a column's name sorts by it, Enter again turns that round."""
        browser.open(self.url + "/")
        head = "[...document.querySelectorAll('#sessions-c')].map(c => c.closest('table')" \
            ".querySelector('th a'))[0]"
        for order in ("ascending", "descending"):
            before = browser.evaluate("location.href")
            browser.evaluate(f"{head}.focus()")
            browser.press("Enter", 13, "\r")
            wait_for("the other order", lambda: browser.evaluate(
                f"location.href !== {before!r} && document.readyState === 'complete' &&"
                f" {head}?.closest('th').getAttribute('aria-sort')") == order, 30)
        self.assertTrue(browser.evaluate("location.hash") == "#sessions")

    def proves_itself(self, browser):
        """The checks find what they are for."""
        browser.open(self.url + "/")
        browser.evaluate("""
            document.querySelector('dd').style.color = '#aaa';
            document.querySelector('caption').textContent = '';
            document.querySelector('nav a').textContent = '';
            document.querySelector('h3').outerHTML = '<h4 id="main">x</h4>';
            document.body.style.width = '3000px'; undefined""")
        found = " ".join(browser.evaluate(CHECKS))
        for words in ("contrast ", "no caption", "no name", "skips a level", "twice", "wide"):
            self.assertIn(words, found)

    def test_is_small_quick_and_closed(self):
        for path in ("/", "/?span=day", "/?span=week", "/?span=month"):
            self.get(path)
            times = []
            for _ in range(9):
                body, headers, seconds = self.get(path)
                times.append(seconds)
            total = len(body) + sum(len(self.get(f"/page.{kind}")[0]) for kind in ("css", "js", "svg"))
            self.assertLess(total, 100_000, path)
            # A debug build on a busy machine; `make bench` has the figures of a release.
            self.assertLess(statistics.median(times), 0.5, path)
            policy = headers["Content-Security-Policy"]
            self.assertIn("default-src 'none'", policy)
            self.assertNotIn("unsafe", policy)
        body, headers, _ = self.get("/live")
        self.assertEqual(headers["Content-Type"], "text/event-stream; charset=utf-8")
        self.assertTrue(body.startswith(b"retry: 2000\ndata: {"))
