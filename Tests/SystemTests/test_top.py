"""weir top, in a pipe and on a terminal that a test holds the other end of."""

import codecs
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import time

from lab import LabTestCase, wait_for
from weir import Weir, binary, configuration


class Screen:
    """A program on a terminal of a given size."""

    def __init__(self, test, rows, columns, *command):
        self.master, slave = pty.openpty()
        self.resize(rows, columns)
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        self.process = subprocess.Popen(
            [str(word) for word in command], stdin=slave, stdout=slave, stderr=slave,
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.text, self.decoder = "", codecs.getincrementaldecoder("utf-8")("replace")
        os.set_blocking(self.master, False)
        test.addCleanup(self.close)

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self):
        try:
            while True:
                self.text += self.decoder.decode(os.read(self.master, 65_536))
        except (BlockingIOError, OSError):
            return self.text

    def shows(self, words, seconds=30):
        wait_for(f"{words!r} on the screen", lambda: words in self.read(), seconds)

    def frame(self):
        """The lines of the latest whole picture."""
        pictures = [part for part in self.read().split("\x1b[H") if part.endswith("\x1b[J")]
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", pictures[-1]).replace("\r", "").split("\n")

    def type(self, keys):
        os.write(self.master, keys)

    def ends_with(self, status):
        self.process.wait(30)
        self.read()
        self.test_restored()
        return self.process.returncode == status

    def test_restored(self):
        assert self.text.rstrip().endswith("\x1b[?25h\x1b[?1049l"), repr(self.text[-80:])
        assert termios.tcgetattr(self.slave)[3] == self.before[3], "the terminal's mode"

    def close(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)


class Top(LabTestCase):
    def setUp(self):
        super().setUp()
        self.weir = Weir(self, configuration(self.folder))
        self.command = (binary(), "top", "--control", self.weir.control, "--interval", "1s")

    def test_plain_in_a_pipe(self):
        text = self.run_command(*self.command).stdout
        self.assertIn("sessions 0  half-open 0", text)
        self.assertIn(" in, ", text)
        self.assertNotIn("\x1b", text)

    def test_keys_and_sizes(self):
        screen = Screen(self, 24, 80, *self.command)
        screen.shows("sessions 0")
        screen.shows("0 bit/s in")
        self.assertLessEqual(len(screen.frame()), 24)
        screen.type(b"\x1b[C")
        screen.shows("transmit   q quit")
        screen.type(b"r")
        screen.shows("▲ transmit")
        screen.type(b"/ab\x7fc")
        screen.shows("filter: ac_")
        screen.type(b"\r")
        screen.shows("filter ac (0 of 0)")
        screen.type(b"p")
        screen.shows("PAUSED")
        screen.text = ""
        screen.resize(6, 30)
        os.killpg(screen.process.pid, signal.SIGWINCH)
        screen.shows("\x1b[J")
        frame = screen.frame()
        self.assertLessEqual(len(frame), 6)
        self.assertLessEqual(max(map(len, frame)), 30)
        screen.type(b"q")
        self.assertTrue(screen.ends_with(0))

    def test_sessions_and_sizes(self):
        """Sessions sorted, filtered and scrolled by keys, on a terminal that changes its size."""
        gateway = self.weir.settings["gateway"]
        self.start(
            "load", binary(), "load", "--to", f"127.0.0.1:{gateway['port']}", "--nat-port",
            str(gateway["nat_port"]), "--domain", "example.org", "--psk-file",
            self.folder / "staff.psk", "--sessions", "12", "--hold", "--duration", "5m")
        wait_for("all sessions", lambda: self.weir.metric("ike_sessions") == 12, 60, every=0.5)
        screen = Screen(self, 24, 100, *self.command)
        screen.shows("sessions 12")

        def rows():
            return [line for line in screen.frame()[:-1] if "id:" in line]

        def until(what, condition):
            wait_for(what, condition, 30, every=0.2)
        until("all of them", lambda: len(rows()) == 12)
        screen.type(b"\x1b[C\x1b[C")
        until("order by identity", lambda: screen.frame()[-1].startswith("▲ identity"))
        names = [re.search(r"id:\w+", row).group() for row in rows()]
        self.assertEqual(names, sorted(names))
        # Pseudonyms are whole, at the cost of columns.
        self.assertEqual({len(name) for name in names}, {19})
        screen.type(b"r")
        until("the other order", lambda: [re.search(r"id:\w+", row).group() for row in rows()]
              == names[::-1])
        screen.type(b"/" + names[3].encode() + b"\r")
        until("one session", lambda: len(rows()) == 1 and names[3] in rows()[0])
        self.assertIn("(1 of 12)", screen.frame()[-1])
        screen.type(b"/\x1b")
        until("all again", lambda: len(rows()) == 12)
        for height, width in ((12, 60), (40, 160), (5, 20), (24, 100)):
            screen.text = ""
            screen.resize(height, width)
            os.killpg(screen.process.pid, signal.SIGWINCH)
            screen.shows("\x1b[J")
            until("the new size", lambda: len(screen.frame()) <= height
                  and max(map(len, screen.frame())) <= width
                  and (width < 60 or len(rows()) == min(12, height - 5)))
        screen.text = ""
        screen.resize(12, 100)
        os.killpg(screen.process.pid, signal.SIGWINCH)
        until("seven of them", lambda: "\x1b[J" in screen.read() and len(rows()) == 7)
        first = rows()[0]
        screen.type(b"j")
        until("one further", lambda: rows() and rows()[0] != first)
        screen.type(b"\x1b[6~\x1b[6~")
        until("the end", lambda: rows() and names[0] in rows()[-1])
        screen.type(b"q")
        self.assertTrue(screen.ends_with(0))

    def test_gives_the_terminal_back(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            screen = Screen(self, 24, 80, *self.command)
            screen.shows("sessions 0")
            os.killpg(screen.process.pid, number)
            self.assertTrue(screen.ends_with(0), number)

    def test_stopped_and_continued(self):
        screen = Screen(self, 24, 80, *self.command)
        screen.shows("sessions 0")
        os.kill(screen.process.pid, signal.SIGTSTP)
        screen.shows("\x1b[?1049l")
        screen.test_restored()
        screen.text = ""
        time.sleep(0.2)
        os.kill(screen.process.pid, signal.SIGCONT)
        screen.shows("\x1b[?1049h")
        screen.type(b"q")
        self.assertTrue(screen.ends_with(0))

    def test_goes_on_without_a_gateway(self):
        screen = Screen(self, 24, 80, *self.command)
        screen.shows("sessions 0")
        self.weir.stop()
        screen.shows("OLD: ")
        screen.type(b"q")
        self.assertTrue(screen.ends_with(0))
