#!/usr/bin/env python3
"""Drives the real program in a real window: Xvfb, real key presses, real clicks, and a look at the screen after each.

    drive_linger.py LINGER TREE [--short | [--size WIDTHxHEIGHT]... [--managed]] [--keep DIR]

What the program says of itself is read from its window's title (the run, the moment, what is selected, the branch);
what the screen shows, from the memory of the X server. Nothing is timed: whatever is expected is waited for, and found
missing only after a minute or two. A click that may hit nothing is followed by a key that surely does something, and
what that does is waited for.

--short: play, pause, step, kill a broker by a click, quit. --keep leaves pictures of the main stations in DIR; --managed
also tries, under openbox, what only a window manager can do. Exits 77 (skipped) without Xvfb, xdotool or, unless --short,
ImageMagick.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

PATIENCE_S = 120
TOAST_S = 4.2  # what a message leaves alone for so long is gone
REST_S = 0.3  # nothing has moved for so long: longer than easing takes between two frames

# What display drivers leave behind at the end is not ours to free.
FOREIGN_LIBRARIES = ("libdbus-1", "libX11", "libfontconfig", "libSDL2-2.0", "libibus")

failures = []


def check(condition, what):
    print("ok" if condition else "FAILED", "-", what, flush=True)
    if not condition:
        failures.append(what)
    return condition


def await_true(probe, what, patience_s=PATIENCE_S):
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        value = probe()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"waited {patience_s} s for: {what}")


class Display:
    """An X server of its own."""

    def __init__(self, width, height):
        self.manager = None
        for _ in range(5):
            if self.start(width, height):
                return
        raise AssertionError("no Xvfb starts")

    def start(self, width, height):
        read_end, write_end = os.pipe()
        self.memory = tempfile.TemporaryDirectory(prefix="linger-screen-")
        self.server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write_end), "-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp",
             "-noreset", "-nocursor", "-fbdir", self.memory.name],
            pass_fds=[write_end], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(write_end)
        with os.fdopen(read_end) as numbers:
            self.name = ":" + numbers.readline().strip()
        self.environment = dict(os.environ, DISPLAY=self.name, SDL_VIDEODRIVER="x11")
        self.environment.pop("WAYLAND_DISPLAY", None)
        if self.run("xdotool", "getdisplaygeometry").split() == [str(width), str(height)]:
            return True
        self.close()
        return False

    def manage(self):
        """With a window manager, where there is one: without, nobody makes a window full-screen or closes it."""
        if shutil.which("openbox") is None:
            return False
        self.manager = subprocess.Popen(["openbox"], env=self.environment, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        await_true(lambda: self.run("xdotool", "get_desktop").strip() == "0", "the window manager")
        return True

    def run(self, *command, text=True):
        return subprocess.run(command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=text, timeout=PATIENCE_S).stdout

    def screen(self):
        """All of it, as it is in the server's memory (a file in XWD format)."""
        with open(pathlib.Path(self.memory.name) / "Xvfb_screen0", "rb") as file:
            data = file.read()
        header = struct.unpack(">25I", data[:100])
        width, height, byte_order, bits, line, colors = header[4], header[5], header[7], header[11], header[12], header[19]
        assert bits == 32 and byte_order == 0 and line == width * 4, "an X server with another kind of screen"
        start = header[0] + colors * 12
        raw = data[start:start + line * height]
        pixels = bytearray(width * height * 3)
        pixels[0::3], pixels[1::3], pixels[2::3] = raw[2::4], raw[1::4], raw[0::4]
        return Picture((width, height), bytes(pixels))

    def close(self):
        if self.manager is not None:
            self.manager.terminate()
            self.manager.wait()
        self.server.terminate()
        self.server.wait()
        self.memory.cleanup()


class Picture:
    """24-bit pixels."""

    def __init__(self, size, pixels):
        self.size = size
        self.pixels = pixels

    @staticmethod
    def of_ppm(ppm):
        magic, width, height, _, pixels = re.match(rb"(P6)\s(\d+) (\d+)\s(\d+)\s(.*)", ppm, re.DOTALL).groups()
        assert magic == b"P6"
        return Picture((int(width), int(height)), pixels)

    def ppm(self):
        return b"P6 %d %d 255\n" % self.size + self.pixels

    def cut(self, x, y, width, height):
        if (x, y, width, height) == (0, 0, *self.size):
            return self
        row = self.size[0] * 3
        return Picture((width, height), b"".join(self.pixels[line * row + x * 3:line * row + (x + width) * 3]
                                                 for line in range(y, y + height)))

    def __eq__(self, other):
        return self.size == other.size and self.pixels == other.pixels

    def at(self, x, y):
        start = (y * self.size[0] + x) * 3
        return tuple(self.pixels[start:start + 3])

    def region(self, part):
        left, top, right, bottom = (round(p * self.size[i % 2]) for i, p in enumerate(part))
        return left, top, right, bottom

    def crop(self, part):
        left, top, right, bottom = self.region(part)
        row = self.size[0] * 3
        return b"".join(self.pixels[y * row + left * 3:y * row + right * 3] for y in range(top, bottom))


# Shares of the window, the same at 1600x900 and 1280x720.
WHOLE = (0, 0, 1, 1)
TOP = (0, 0, 1, 0.05)
ACCUMULATOR = (0.140, 0.12, 0.34, 0.52)
SENDER = (0.355, 0.28, 0.475, 0.46)
CLUSTER = (0.565, 0.12, 0.81, 0.77)
HEADS = (0.58, 0.12, 0.60, 0.77)  # where a broker's name stands, and nothing else of its head
CELLS = (0.65, 0.12, 0.66, 0.40)
SIDE = (0.82, 0.12, 0.99, 0.77)
TIMELINE = (0.07, 0.83, 0.98, 0.90)
BRANCH_LANES = (0.07, 0.925, 0.98, 0.985)


class Linger:
    """The program, its window, and hands on it."""

    def __init__(self, display, program, *arguments, folder):
        self.display = display
        self.error_path = pathlib.Path(folder) / "stderr.txt"
        suppressions = pathlib.Path(folder) / "lsan.supp"
        suppressions.write_text("".join(f"leak:{library}\n" for library in FOREIGN_LIBRARIES))
        environment = dict(display.environment, LSAN_OPTIONS=f"suppressions={suppressions}:print_suppressions=0")
        begun = time.monotonic()
        with open(self.error_path, "wb") as errors:
            self.process = subprocess.Popen([program, "play", *map(str, arguments)], cwd=folder, stderr=errors,
                                            env=environment, stdin=subprocess.DEVNULL)
        self.window = await_true(self.find_window, "a window")
        await_true(lambda: " · event " in self.title(), "a title")
        self.forward = True
        self.first_title_ms = round((time.monotonic() - begun) * 1000)
        self.park()

    def find_window(self):
        if self.process.poll() is not None:
            raise AssertionError(f"it ended at once: {self.errors()}")
        found = self.display.run("xdotool", "search", "--onlyvisible", "--pid", str(self.process.pid)).split()
        return found[-1] if found else None

    def errors(self):
        return self.error_path.read_text(errors="replace")

    def xdo(self, *arguments):
        self.display.run("xdotool", *map(str, arguments))

    def title(self):
        return self.display.run("xdotool", "getwindowname", self.window).strip()

    def event(self):
        found = re.search(r"event (\d+) / (\d+)", self.title())
        return int(found.group(1)) if found else -1

    def event_count(self):
        return int(re.search(r"event (\d+) / (\d+)", self.title()).group(2))

    def time_ms(self):
        return float(re.search(r"([\d.\u202f ]+) ms · event", self.title()).group(1).replace("\u202f", "")
                     .replace(" ", ""))

    def branch(self):
        found = re.search(r"branch (\d+): (.*)$", self.title())
        return found.group(2) if found else None

    def is_playing(self):
        return " · playing" in self.title()

    def key(self, *keys):
        self.xdo("key", "--delay", "15", *keys)

    def await_title(self, pattern, patience_s=PATIENCE_S):
        return await_true(lambda: re.search(pattern, self.title()), f"{pattern} in the title ({self.title()})",
                          patience_s)

    def await_computed(self):
        await_true(lambda: "computing" not in self.title(), "the end of the computing")

    def key_changes_event(self, *keys):
        before = self.event()
        self.key(*keys)
        try:
            return await_true(lambda: self.event() != before and self.event(), f"{keys} to change the event", 20)
        except AssertionError:
            return before

    def move(self, x, y):
        self.xdo("mousemove", "--window", self.window, x, y)

    def park(self):
        """Where nothing answers the pointer."""
        self.move(2, self.size()[1] // 2)

    def click(self, x, y, button=1, *then):
        self.xdo("mousemove", "--window", self.window, x, y, "click", button, *then)

    def place(self):
        said = self.display.run("xdotool", "getwindowgeometry", "--shell", self.window)
        return tuple(int(re.search(rf"{name}=(-?\d+)", said).group(1)) for name in ("X", "Y", "WIDTH", "HEIGHT"))

    def size(self):
        return self.place()[2:]

    def shot(self):
        return self.display.screen().cut(*self.place())

    def settled(self, rest_s=REST_S):
        """The screen when nothing has moved for so long."""
        until = time.monotonic() + PATIENCE_S
        before = self.shot()
        still_since = time.monotonic()
        while time.monotonic() < until:
            time.sleep(0.04)
            now = self.shot()
            if now != before:
                before, still_since = now, time.monotonic()
            elif time.monotonic() - still_since > rest_s:
                return now
        raise AssertionError("the screen never comes to rest")

    def changed_from(self, before, what="another picture"):
        """The screen at rest, when it is another one than before."""
        await_true(lambda: self.shot() != before, what)
        return self.settled()

    def comes_to(self, picture, patience_s=20):
        """Whether the screen becomes this one and rests there."""
        until = time.monotonic() + patience_s
        while time.monotonic() < until:
            if self.settled() == picture:
                return True
        return False

    def click_until(self, part, pattern, columns, rows, button=1):
        """Clicks on a grid in a part of the window until the title matches; where that was, or None. A step in time,
        there and back, follows each click: when it shows, the click was seen."""
        left, top, right, bottom = self.region(part)
        for row in range(rows):
            for column in range(columns):
                x = left + (right - left) * (2 * column + 1) // (2 * columns)
                y = top + (bottom - top) * (2 * row + 1) // (2 * rows)
                before = self.event()
                self.click(x, y, button, "key", "Right" if self.forward else "Left")
                self.forward = not self.forward
                await_true(lambda: self.event() != before, "a step after a click")
                if re.search(pattern, self.title()):
                    return x, y
        return None

    def region(self, part):
        size = self.size()
        return tuple(round(p * size[i % 2]) for i, p in enumerate(part))

    def cpu_s(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def ends_well(self, what):
        try:
            code = self.process.wait(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return check(False, f"{what} ends the program")
        errors = [line for line in self.errors().splitlines() if "saved linger-" not in line]
        return check(code == 0 and not errors, f"{what} ends the program with 0 (it ended with {code}) and nothing "
                     "on stderr" + "".join("\n    " + line for line in errors[:40]))


class Keeper:
    def __init__(self, folder, size):
        self.folder = pathlib.Path(folder) if folder else None
        self.size = size
        self.number = 0

    def keep(self, linger, name):
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.number += 1
            path = self.folder / f"{self.size}-{self.number:02d}-{name}.png"
            subprocess.run(["convert", "ppm:-", str(path)], input=linger.shot().ppm(), check=False, timeout=PATIENCE_S)


# --- The stations


def play_and_pause(linger):
    for key, name in (("space", "Space"), ("period", ".")):
        linger.key(key)
        linger.await_title(" · playing")
        begun = linger.event()
        check(await_true(lambda: linger.event() > begun, "time to pass"), f"{name} plays: events pass")
        linger.key(key)
        await_true(lambda: not linger.is_playing(), "a pause")
        at = linger.title()
        linger.settled(0.5)
        check(linger.title() == at, f"{name} pauses: the moment stays")
    linger.settled()
    before_s, begun = linger.cpu_s(), time.monotonic()
    time.sleep(2)
    used = (linger.cpu_s() - before_s) / (time.monotonic() - begun)
    check(used < 0.05, f"paused, it uses {used:.1%} of a processor")


def step(linger):
    linger.key("Home")
    linger.await_title("event 0 /")
    linger.xdo("key", "--delay", "20", *["Right"] * 40)
    linger.await_title("event 40 /")
    check(True, "40 times → shows event 40")
    at_40 = linger.settled()
    linger.key("Right")
    linger.await_title("event 41 /")
    linger.key("Left")
    linger.await_title("event 40 /")
    check(linger.comes_to(at_40), "→ and ← come back to the same picture")
    linger.xdo("key", "--delay", "20", *["Right"] * 30, *["Left"] * 30)
    linger.await_title("event 40 /")
    check(linger.comes_to(at_40), "30 times → and ← likewise")
    linger.key("End")
    end = linger.event_count()
    linger.await_title(f"event {end} /")
    linger.key("Left", "Right")
    linger.await_title(f"event {end} /")
    linger.key("Home")
    linger.await_title("event 0 /")
    check(True, "End and Home go there")


def jump(linger, events):
    """b, a, e and Shift+→ against the events that `linger run --events` tells."""
    wanted = {
        "b": lambda event: event["ev"] == "batch_drained",
        "a": lambda event: event["ev"] == "batch_done" and event["error"] == 0,
        "e": lambda event: event.get("error", 0) != 0 or event["ev"] in ("packet_lost", "batch_expired",
                                                                         "request_timed_out", "request_failed"),
        "shift+Right": lambda event: event["ev"] == "sender_pass",
    }
    backwards = {"b": "shift+b", "a": "shift+a", "e": "shift+e", "shift+Right": "shift+Left"}
    for key, is_wanted in wanted.items():
        linger.key("Home")
        linger.await_title("event 0 /")
        first = linger.key_changes_event(key)
        second = linger.key_changes_event(key)
        check(0 < first < second and is_wanted(events[first]) and is_wanted(events[second]),
              f"{key} goes to the next: {events[first]['ev']} {first}, {events[second]['ev']} {second}")
        check(linger.key_changes_event(backwards[key]) == first, f"{backwards[key]} goes back to {first}")
        if key != "e":
            between = [e["seq"] for e in events[1:second] if is_wanted(e)]
            check(between == [first], f"{key} left none out")


def scrub(linger):
    left, top, right, bottom = linger.region(TIMELINE)
    y = (top + bottom) // 2
    linger.key("Home")
    linger.await_title("event 0 /")
    linger.move(left + (right - left) // 5, y)
    linger.xdo("mousedown", 1)
    await_true(lambda: linger.event() > 0, "the moment under the pointer")
    times = []
    for part in (0.25, 0.4, 0.6):
        before = linger.settled(), linger.time_ms()
        linger.move(left + round((right - left) * part), y)
        await_true(lambda: linger.time_ms() != before[1], "the moment to follow the pointer")
        linger.settled()
        times.append(linger.time_ms())
    linger.xdo("mouseup", 1)
    check(times == sorted(times) and times[0] < times[2], f"dragging the timeline goes through {times} ms")
    linger.park()


def find_busy_moment(linger, events):
    """A moment with a request on its way and batches in the accumulator."""
    left, top, right, bottom = linger.region(TIMELINE)
    linger.click(left + round((right - left) * 0.35), top)
    begun = linger.key_changes_event("b")
    sent = next(e["seq"] for e in events[begun:] if e["ev"] == "request_sent")
    linger.xdo("key", "--delay", "15", *["Right"] * (sent - begun))
    linger.await_title(f"event {sent} /")


def select(linger, keeper):
    linger.key("1")
    for part, pattern, columns, rows, what in (
            (ACCUMULATOR, r"record \d+", 12, 40, "a record"), (ACCUMULATOR, r"batch \d+", 6, 24, "a batch"),
            (SENDER, r"request \d+", 12, 12, "a request"), (HEADS, r"broker \d+", 1, 60, "a broker"),
            (CELLS, r"orders-\d+ on broker \d+", 1, 40, "a replica")):
        linger.key("Escape")
        await_true(lambda: not re.search(r"(record|batch|request|broker) \d+", linger.title()), "nothing selected")
        linger.park()
        linger.key("1")
        why = linger.settled().crop(SIDE)
        linger.key("2")
        inspected = linger.settled().crop(SIDE)
        place = linger.click_until(part, pattern, columns, rows)
        if not check(place is not None, f"a click selects {what}: {linger.title().split(' · ')[-1]}"):
            continue
        linger.park()
        check(linger.settled().crop(SIDE) != inspected, f"Inspect shows {what}")
        keeper.keep(linger, "inspect-" + what.split()[-1])
        linger.key("1")
        check(linger.settled().crop(SIDE) != why, f"Why explains {what}")
        keeper.keep(linger, "why-" + what.split()[-1])
    linger.key("Escape")


def tabs(linger, keeper):
    linger.park()
    seen = []
    for key, name in zip("12345", ("why", "inspect", "config", "plots", "ledger")):
        linger.key(key)
        seen.append(linger.settled().crop(SIDE))
        keeper.keep(linger, name)
    check(len(set(seen)) == 5, "1 to 5 open five different tabs")
    linger.key("1")


def count_color(picture, part, is_it):
    left, top, right, bottom = picture.region(part)
    return sum(is_it(picture.at(x, y)) for y in range(top, bottom, 2) for x in range(left, right, 2))


def is_red(color):
    return color[0] > 190 and color[1] < 130 and color[2] < 100


def is_pink(color):
    return color[0] > 150 and color[1] < 140 and 120 < color[2] < 200


def act_on_brokers(linger, keeper):
    """kill by its button, restart by its button, freeze by the menu."""
    head = linger.click_until((0.58, 0.34, 0.60, 0.60), r" broker 2( |$)", 1, 60)
    if not check(head is not None, "the card of broker 2 can be clicked"):
        return
    linger.park()
    before = linger.settled()
    at_ms = linger.time_ms()
    at_event = linger.event()
    height = before.size[1]
    row = (head[1] - 0.02 * height) / height
    strip = (0.68, row, 0.81, row + 0.05)
    killed = linger.click_until(strip, r"branch 1: kill broker 2", 30, 4)
    if not check(killed is not None, f"clicking kill makes a branch: {linger.title()}"):
        return
    linger.await_computed()
    check(abs(linger.time_ms() - at_ms) < 5 and abs(linger.event() - at_event) < 60,
          f"it begins at the same moment: {linger.event()} beside {at_event}")
    linger.key("Right", "Right", "Right", "Escape")  # the mark of what is selected would hide the red edge
    linger.park()
    after = linger.settled()
    keeper.keep(linger, "killed")
    check(count_color(after, CLUSTER, is_red) > count_color(before, CLUSTER, is_red) + 50,
          "broker 2 has a red edge: it is down")
    check(count_color(after, BRANCH_LANES, is_pink) > count_color(before, BRANCH_LANES, is_pink) + 50,
          "the branch's lane forks from the first")
    for _ in range(3):
        linger.key_changes_event("b")
    strip = (0.76, row, 0.81, row + 0.05)
    restarted = linger.click_until(strip, r"branch 2: restart broker 2", 12, 4)
    if check(restarted is not None, f"clicking restart makes another: {linger.title()}"):
        linger.await_computed()
        linger.key("End", "Escape")
        linger.await_title(f"event {linger.event_count()} /")
        linger.park()
        check(count_color(linger.settled(), CLUSTER, is_red) < count_color(after, CLUSTER, is_red) // 2,
              "at the end broker 2 is up again")
        keeper.keep(linger, "restarted")


def save_scenario(linger, program, folder):
    """Ctrl+S: the file makes the branch again."""
    linger.key("ctrl+s")
    path = pathlib.Path(folder) / "linger-scenario-1.json"
    await_true(lambda: path.exists() and path.stat().st_size > 0, "the saved scenario")
    linger.settled()
    done = subprocess.run([program, "run", path.name, "--events", "again.jsonl"], cwd=folder, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE_S * 2)
    check(done.returncode == 0, "linger run takes what Ctrl+S saved" + ("" if done.returncode == 0 else done.stdout))
    if done.returncode == 0:
        with open(pathlib.Path(folder) / "again.jsonl", encoding="utf-8") as again:
            events = [event for event in map(json.loads, again) if "ev" in event]
        check(len(events) == linger.event_count(), f"it makes the branch again: {len(events)} events, "
              f"{linger.event_count()} in the window")
        faults = [(e["fault_word"].lower(), e["broker"]) for e in events if e["ev"] == "fault"]
        check(faults.count(("kill", 2)) == 2 and faults.count(("restart", 2)) == 2,
              f"with what was done by hand beside what the scenario does: {faults}")


def save_picture(linger, folder):
    linger.park()
    shown = linger.settled()
    linger.key("ctrl+p")
    path = pathlib.Path(folder) / "linger-1.png"
    await_true(lambda: path.exists() and path.stat().st_size > 0 and "saved linger-1.png" in linger.errors(),
               "the saved picture")
    saved = Picture.of_ppm(linger.display.run("convert", str(path), "-depth", "8", "ppm:-", text=False))
    check(saved == shown, "Ctrl+P saves what the screen shows, pixel by pixel")


def menus(linger, keeper):
    branches = linger.branch()
    place = linger.click_until((0.58, 0.14, 0.60, 0.30), r"broker 1\b", 1, 30)
    if not check(place is not None, "a click finds broker 1"):
        return
    linger.key("Escape")
    await_true(lambda: "broker 1 " not in linger.title() + " ", "nothing selected")
    linger.park()
    before = linger.settled()
    linger.click(*place, 3)
    opened = linger.changed_from(before, "a menu")
    keeper.keep(linger, "menu")
    check("broker 1 " in linger.title() + " ", "a right click selects broker 1 and opens its menu")
    linger.key("Escape")
    linger.park()
    linger.changed_from(opened, "a closed menu")
    check(linger.branch() == branches, "Escape closes it and nothing is done")
    before = linger.settled()
    linger.click(*place, 3)
    linger.changed_from(before, "a menu again")
    linger.key("Down", "Down", "Down", "Return")
    linger.await_title(r"branch \d+: (?!kill broker 2|restart)")
    check("broker 1" in linger.branch(), f"an entry of the menu makes a branch: {linger.branch()}")
    linger.await_computed()


def switch_branch(linger):
    here = linger.branch()
    place = linger.click_until(BRANCH_LANES, r"^(?!.*" + re.escape(here or "") + ")", 2, 20)
    check(place is not None, f"a click on another branch's lane shows that one: {linger.branch()}")
    linger.key("ctrl+r")
    await_true(lambda: linger.branch() is None, "no branch after Ctrl+R")
    check(True, "Ctrl+R drops all branches")


def looks(linger, keeper):
    linger.key("Escape", "Escape")
    linger.park()
    first = linger.settled(TOAST_S)
    for key, name in (("t", "the theme"), ("p", "presenter size"), ("i", "the inspector"), ("question", "the keys"),
                      ("v", "the pace"), ("bracketright", None)):
        linger.key(key)
        changed = linger.changed_from(first, f"{key} to change the picture")
        keeper.keep(linger, key)
        check(changed != first, f"{key} changes the picture")
        if key == "t":
            check(sum(changed.at(3, changed.size[1] // 2)) > sum(first.at(3, first.size[1] // 2)) + 300,
                  "from dark to light")
        linger.key("Escape" if key == "question" else "bracketleft" if key == "bracketright" else key)
        check(linger.comes_to(first), f"and back again: {name or '[ is slower as ] was faster'}")


def other_sizes(linger, size):
    before = linger.settled()
    linger.xdo("windowsize", linger.window, 1000, 600)
    await_true(lambda: linger.size() == (1000, 600), "a small window")
    small = linger.settled()
    check(len(set(small.pixels[i:i + 3] for i in range(0, len(small.pixels), 3 * 97))) > 10, "1000x600 is drawn")
    linger.xdo("windowsize", linger.window, *size)
    await_true(lambda: linger.size() == size, "the first size")
    linger.park()
    check(linger.comes_to(before), "back at the first size it is the first picture")


def reference_events(program, tree, folder):
    path = pathlib.Path(folder) / "reference.jsonl"
    subprocess.run([program, "run", tree / "assets/scenarios/default.json", "--events", path], check=True,
                   stdout=subprocess.DEVNULL, timeout=PATIENCE_S * 2)
    with open(path, encoding="utf-8") as lines:
        events = [event for event in map(json.loads, lines) if "ev" in event]
    return [None] + events  # they count from 1


def drive(display, program, tree, folder, size, keeper, is_brief):
    """is_brief: only what depends on where things stand."""
    events = reference_events(program, tree, folder)
    linger = Linger(display, program, tree / "assets/scenarios/default.json", folder=folder)
    try:
        check(linger.size() == size, f"the window is {size[0]}x{size[1]}")
        linger.await_computed()
        print(f"info - a window with a title after {linger.first_title_ms} ms")
        check(linger.event_count() == len(events) - 1, "the window shows as many events as linger run counts")
        keeper.keep(linger, "start")
        if not is_brief:
            step(linger)
            jump(linger, events)
            play_and_pause(linger)
            looks(linger, keeper)
        scrub(linger)
        tabs(linger, keeper)
        find_busy_moment(linger, events)
        keeper.keep(linger, "busy")
        select(linger, keeper)
        act_on_brokers(linger, keeper)
        if not is_brief:
            save_scenario(linger, program, folder)
            menus(linger, keeper)
            switch_branch(linger)
        linger.key("Escape", "Escape")
        linger.settled(TOAST_S)
        save_picture(linger, folder)
        other_sizes(linger, size)
        linger.key("q")
        linger.ends_well("q")
    finally:
        if linger.process.poll() is None:
            linger.process.kill()
            linger.process.wait()


LONG = {
    "linger": 1, "name": "long", "seed": 3, "duration_ms": 600000,
    "cluster": {"brokers": 3, "topics": [{"name": "orders", "partitions": 6, "replication.factor": 3}]},
    "producers": [{"name": "shop", "config": {"linger.ms": 5}, "threads": [
        {"name": "main", "records": {"topic": "orders", "count": 400000, "rate_per_s": 20000, "value_bytes": 100}}]}],
}


def short(display, program, tree, folder, keeper):
    """Start, play, pause, step, look, kill a broker, quit: what must never break."""
    linger = Linger(display, program, tree / "assets/scenarios/lost-after-ack.json", folder=folder)
    try:
        linger.await_computed()
        at_start = linger.settled()
        check(len(set(at_start.pixels[i:i + 3] for i in range(0, len(at_start.pixels), 3 * 97))) > 10,
              "the stage is drawn")
        linger.key("space")
        linger.await_title(" · playing")
        check(await_true(lambda: linger.event() > 0, "time to pass"), "Space plays: events pass")
        linger.key("space")
        await_true(lambda: not linger.is_playing(), "a pause")
        check(True, "Space pauses")
        linger.key("Home")
        linger.await_title("event 0 /")
        linger.xdo("key", "--delay", "20", *["Right"] * 40)
        linger.await_title("event 40 /")
        at_40 = linger.changed_from(at_start, "another picture after 40 events")
        linger.key("Right")
        linger.await_title("event 41 /")
        linger.key("Left")
        linger.await_title("event 40 /")
        check(linger.comes_to(at_40), "→ and ← come back to the same picture")
        linger.key("b")
        await_true(lambda: linger.event() > 41, "b to go to the next batch that leaves")
        head = linger.click_until((0.58, 0.34, 0.60, 0.60), r" broker 2( |$)", 1, 60)
        if check(head is not None, f"a click selects broker 2: {linger.title()}"):
            row = (head[1] - 0.02 * linger.size()[1]) / linger.size()[1]
            before = linger.settled()
            killed = linger.click_until((0.68, row, 0.81, row + 0.05), r"branch 1: kill broker 2", 30, 4)
            check(killed is not None, f"a click kills it, in a branch: {linger.title()}")
            linger.await_computed()
            linger.key("Right", "Right", "Right", "Escape")
            linger.park()
            few = count_color(before, CLUSTER, is_red)
            await_true(lambda: count_color(linger.shot(), CLUSTER, is_red) > few + 50, "broker 2's red edge")
            check(True, "broker 2 has a red edge: it is down")
            keeper.keep(linger, "killed")
        linger.key("q")
        linger.ends_well("q")
    finally:
        if linger.process.poll() is None:
            linger.process.kill()
            linger.process.wait()


VERDICTS = {
    "lost-after-ack": "6 records are lost, though acknowledged",
    "duplicated": "2 records are written twice",
    "reordered": "Record 59 is out of order",
    "false-failure": "2 records are reported as failed, and are in the log",
}


def verdicts(display, program, tree, folder, keeper):
    """Each scenario about a verdict, from Space until the title tells it; how long that takes is told, not tested."""
    for name, headline in VERDICTS.items():
        linger = Linger(display, program, tree / f"assets/scenarios/{name}.json", folder=folder)
        try:
            linger.await_computed()
            linger.key("space")
            begun = time.monotonic()
            linger.await_title(re.escape(headline))
            seconds = time.monotonic() - begun
            before = linger.event()
            linger.settled()  # the run is held
            keeper.keep(linger, name)
            check(linger.is_playing() and linger.event() == before,
                  f"{name}: \"{headline}\" after {seconds:.1f} s, and the run is held")
            await_true(lambda: linger.event() > before, "the run to go on")
            linger.key("q")
            linger.ends_well("q")
        finally:
            if linger.process.poll() is None:
                linger.process.kill()
                linger.process.wait()


def while_computing(display, program, folder):
    path = pathlib.Path(folder) / "long.json"
    path.write_text(json.dumps(LONG))
    linger = Linger(display, program, path, folder=folder)
    try:
        first = int(linger.await_title(r"computing (\d+) %").group(1))
        linger.key("space")
        check(linger.await_title("computing.* · playing"), "a long run plays while it is computed")
        count = linger.event_count()
        await_true(lambda: linger.event_count() > count, "more events")
        check(True, f"and grows meanwhile, from {count} events at {first} %")
        linger.key("ctrl+q")
        linger.ends_well("Ctrl+q while computing")
    finally:
        if linger.process.poll() is None:
            linger.process.kill()
            linger.process.wait()


def interrupted(display, program, tree, folder):
    linger = Linger(display, program, tree / "assets/scenarios/linger-and-batch.json", folder=folder)
    linger.settled()
    linger.process.send_signal(signal.SIGINT)
    linger.ends_well("an interrupt")


def managed(display, program, tree, folder, size):
    """What needs a window manager: full screen, and its way of closing a window."""
    if not display.manage():
        print("info - F11 and closing the window not tried: there is no openbox")
        return
    linger = Linger(display, program, tree / "assets/scenarios/linger-and-batch.json", folder=folder)
    linger.settled()
    linger.xdo("windowactivate", "--sync", linger.window)
    linger.xdo("windowsize", linger.window, 1000, 600)
    await_true(lambda: linger.size() == (1000, 600), "a small window")
    linger.key("F11")
    await_true(lambda: linger.size() == size, "full screen")
    linger.settled()
    linger.key("F11")
    await_true(lambda: linger.size() == (1000, 600), "a window again")
    check(True, "F11 fills the screen, F11 makes it a window again")
    linger.settled()
    linger.key("alt+F4")
    linger.ends_well("closing the window")


def at_size(options, index, width, height, folder):
    display = Display(width, height)
    program = str(pathlib.Path(options.linger).resolve())
    tree = pathlib.Path(options.tree).resolve()
    keeper = Keeper(options.keep, f"{width}x{height}")
    try:
        print(f"--- {width}x{height}")
        if options.short:
            short(display, program, tree, folder, keeper)
            return
        drive(display, program, tree, folder, (width, height), keeper, index > 0)
        if index == 0:
            verdicts(display, program, tree, folder, keeper)
            while_computing(display, program, folder)
            interrupted(display, program, tree, folder)
            if options.managed:
                managed(display, program, tree, folder, (width, height))
    except AssertionError as error:
        check(False, str(error))
    finally:
        display.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("linger")
    parser.add_argument("tree")
    parser.add_argument("--short", action="store_true", help="only what must never break")
    parser.add_argument("--size", action="append")
    parser.add_argument("--keep")
    parser.add_argument("--managed", action="store_true", help="also try F11 and closing the window, under openbox")
    options = parser.parse_args()
    for tool in ("Xvfb", "xdotool") + (() if options.short else ("convert",)):
        if shutil.which(tool) is None:
            print(f"skipped: no {tool}")
            return 77
    sizes = ["1280x720"] if options.short else options.size or ["1600x900", "1280x720"]
    for index, size in enumerate(sizes):
        with tempfile.TemporaryDirectory(prefix="linger-drive-") as folder:
            at_size(options, index, *map(int, size.split("x")), folder)
    print(f"{len(failures)} failed" + "".join("\n  " + failure for failure in failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
