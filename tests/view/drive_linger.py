#!/usr/bin/env python3
"""Drives the real program in a real window: Xvfb, real key presses, real clicks, and a look at the screen after each.

    drive_linger.py LINGER TREE [--size WIDTHxHEIGHT]... [--keep DIR] [--managed]

What the program says of itself is read from its window's title (the run, the moment, what is selected, the branch);
what the screen shows, from screenshots. Nothing is timed: whatever is expected is waited for, and found missing only
after a minute. --keep leaves the screenshots of the main stations in DIR; --managed also tries, under openbox, what only a
window manager can do. Exits 77 (skipped) without Xvfb, xdotool or
ImageMagick.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PATIENCE_S = 60
SETTLE_S = 0.35  # longer than any easing

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
        time.sleep(0.03)
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
        self.server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write_end), "-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp",
             "-noreset"],
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

    def close(self):
        if self.manager is not None:
            self.manager.terminate()
            self.manager.wait()
        self.server.terminate()
        self.server.wait()


class Picture:
    """A screenshot: 24-bit pixels."""

    def __init__(self, ppm):
        magic, width, height, _, self.pixels = re.match(rb"(P6)\s(\d+) (\d+)\s(\d+)\s(.*)", ppm, re.DOTALL).groups()
        assert magic == b"P6"
        self.size = int(width), int(height)

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
        self.move(2, self.shot().size[1] // 2)

    def click(self, x, y, button=1):
        self.move(x, y)
        self.xdo("click", button)

    def shot(self):
        return Picture(await_true(lambda: self.display.run("import", "-silent", "-window", self.window, "-depth", "8",
                                                           "ppm:-", text=False), "a screenshot"))

    def settled(self):
        """The screen when nothing moves any more."""
        time.sleep(SETTLE_S)
        until = time.monotonic() + PATIENCE_S
        before = self.shot()
        while time.monotonic() < until:
            time.sleep(0.15)
            now = self.shot()
            if now == before:
                return now
            before = now
        raise AssertionError("the screen never comes to rest")

    def click_until(self, part, pattern, columns, rows, button=1):
        """Clicks on a grid in a part of the window until the title matches; where that was, or None."""
        left, top, right, bottom = self.shot().region(part)
        for row in range(rows):
            for column in range(columns):
                x = left + (right - left) * (2 * column + 1) // (2 * columns)
                y = top + (bottom - top) * (2 * row + 1) // (2 * rows)
                before = self.title()
                self.click(x, y, button)
                time.sleep(0.12)
                if self.title() == before:
                    time.sleep(0.12)
                if re.search(pattern, self.title()):
                    return x, y
        return None

    def geometry(self):
        said = self.display.run("xdotool", "getwindowgeometry", self.window)
        return tuple(map(int, re.search(r"Geometry: (\d+)x(\d+)", said).groups()))

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
            linger.display.run("import", "-silent", "-window", linger.window,
                               str(self.folder / f"{self.size}-{self.number:02d}-{name}.png"))


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
        time.sleep(0.5)
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
    check(linger.settled() == at_40, "→ and ← come back to the same picture")
    linger.xdo("key", "--delay", "20", *["Right"] * 30, *["Left"] * 30)
    linger.await_title("event 40 /")
    check(linger.settled() == at_40, "30 times → and ← likewise")
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
    left, top, right, bottom = linger.shot().region(TIMELINE)
    y = (top + bottom) // 2
    linger.move(left + (right - left) // 4, y)
    linger.xdo("mousedown", 1)
    times = []
    for part in (0.25, 0.4, 0.6):
        linger.move(left + round((right - left) * part), y)
        time.sleep(0.3)
        await_true(lambda: not times or linger.time_ms() != times[-1], "the moment to follow the pointer")
        times.append(linger.time_ms())
    linger.xdo("mouseup", 1)
    check(times == sorted(times) and times[0] < times[2], f"dragging the timeline goes through {times} ms")
    linger.park()


def find_busy_moment(linger, events):
    """A moment with a request on its way and batches in the accumulator."""
    left, top, right, bottom = linger.shot().region(TIMELINE)
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
    check(linger.time_ms() == at_ms and linger.event() >= at_event,
          f"it begins at the same moment: {linger.event()} after {at_event}")
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
    time.sleep(0.2)
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
    saved = Picture(linger.display.run("convert", str(path), "-depth", "8", "ppm:-", text=False))
    check(saved == shown, "Ctrl+P saves what the screen shows, pixel by pixel")


def menus(linger, keeper):
    linger.park()
    before = linger.settled()
    branches = linger.branch()
    place = linger.click_until((0.58, 0.14, 0.60, 0.30), r"broker 1\b", 1, 30, button=3)
    if not check(place is not None, "a right click selects broker 1"):
        return
    opened = linger.settled()
    keeper.keep(linger, "menu")
    check(opened != before, "and opens its menu")
    linger.key("Escape")
    linger.park()
    linger.settled()
    check(linger.branch() == branches, "Escape closes it and nothing is done")
    linger.click(*place, button=3)
    linger.settled()
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
    time.sleep(4)  # a toast
    first = linger.settled()
    for key, name in (("t", "the theme"), ("p", "presenter size"), ("i", "the inspector"), ("question", "the keys"),
                      ("v", "the pace"), ("bracketright", None)):
        linger.key(key)
        changed = linger.settled()
        keeper.keep(linger, key)
        check(changed != first, f"{key} changes the picture")
        if key == "t":
            check(sum(changed.at(3, changed.size[1] // 2)) > sum(first.at(3, first.size[1] // 2)) + 300,
                  "from dark to light")
        linger.key("Escape" if key == "question" else "bracketleft" if key == "bracketright" else key)
        check(linger.settled() == first, f"and back again: {name or '[ is slower as ] was faster'}")


def sizes(linger, size):
    before = linger.settled()
    linger.xdo("windowsize", linger.window, 1000, 600)
    await_true(lambda: linger.shot().size == (1000, 600), "a small window")
    small = linger.settled()
    check(len(set(small.pixels[i:i + 3] for i in range(0, len(small.pixels), 3 * 97))) > 10, "1000x600 is drawn")
    linger.xdo("windowsize", linger.window, *size)
    await_true(lambda: linger.shot().size == size, "the first size")
    linger.park()
    check(linger.settled() == before, "back at the first size it is the first picture")


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
        check(linger.shot().size == size, f"the window is {size[0]}x{size[1]}")
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
        time.sleep(4)
        save_picture(linger, folder)
        sizes(linger, size)
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
    await_true(lambda: linger.geometry() == (1000, 600), "a small window")
    linger.key("F11")
    await_true(lambda: linger.geometry() == size, "full screen")
    linger.settled()
    linger.key("F11")
    await_true(lambda: linger.geometry() == (1000, 600), "a window again")
    check(True, "F11 fills the screen, F11 makes it a window again")
    linger.settled()
    linger.key("alt+F4")
    linger.ends_well("closing the window")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("linger")
    parser.add_argument("tree")
    parser.add_argument("--size", action="append")
    parser.add_argument("--keep")
    parser.add_argument("--managed", action="store_true", help="also try F11 and closing the window, under openbox")
    options = parser.parse_args()
    for tool in ("Xvfb", "xdotool", "import", "convert"):
        if shutil.which(tool) is None:
            print(f"skipped: no {tool}")
            return 77
    program = str(pathlib.Path(options.linger).resolve())
    tree = pathlib.Path(options.tree).resolve()
    for index, size in enumerate(options.size or ["1600x900", "1280x720"]):
        width, height = map(int, size.split("x"))
        display = Display(width, height)
        try:
            with tempfile.TemporaryDirectory(prefix="linger-drive-") as folder:
                print(f"--- {size}")
                drive(display, program, tree, folder, (width, height), Keeper(options.keep, size), index > 0)
                if index == 0:
                    while_computing(display, program, folder)
                    interrupted(display, program, tree, folder)
                    if options.managed:
                        managed(display, program, tree, folder, (width, height))
        except AssertionError as error:
            check(False, str(error))
        finally:
            display.close()
    print(f"{len(failures)} failed" + "".join("\n  " + failure for failure in failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
