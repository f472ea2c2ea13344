#!/usr/bin/env python3
"""Who may know whom, checked in the sources and in the archives.

usage: check_layers.py SOURCE_ROOT LIBRARY_FOLDER
"""
import pathlib
import re
import subprocess
import sys

# Layer: (folder, layers whose headers it may include beside its own, third-party headers it may include)
SYSTEM = {"sys/", "unistd.h", "fcntl.h", "pthread.h"}
LAYERS = {
    "base": ("producer/base", {"linger"}, set()),
    "wire": ("producer/wire", {"linger", "base"}, {"zlib.h", "lz4frame.h", "lz4.h", "snappy-c.h", "zstd.h"}),
    "core": ("producer/core", {"linger", "base", "wire"}, set()),
    "mockbroker": ("mockbroker", {"linger/allocator.h", "base", "wire", "mockbroker"}, set()),
    "log": ("sim/log", {"base"}, SYSTEM),
    "engine": ("sim/engine", {"linger", "mockbroker/mockbroker.h", "base", "wire", "log"}, SYSTEM | {"cjson/"}),
    "model": ("sim/model", {"base", "wire", "log"}, set()),
    "export": ("sim/export", {"base", "wire", "log", "image"}, {"png.h"}),
    "view": ("sim/view", {"base", "log", "model", "image"},
             SYSTEM | {"SDL.h", "SDL2/", "SDL_", "fontconfig/"}),
}
# Files that alone may include a third-party header.
ONLY = {
    "cjson/": re.compile(r"^sim/engine/(scenario\w*|input_file)\.[ch]$"),
    "SDL": re.compile(r"^sim/view/(window|text\w*|font\w*|input)\.[ch]$"),
}
STANDARD = re.compile(r"^(assert|complex|ctype|errno|fenv|float|inttypes|iso646|limits|locale|math|setjmp|signal|"
                      r"stdalign|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|stdnoreturn|string|time|"
                      r"uchar|wchar|nmmintrin|wmmintrin|immintrin|cpuid)\.h$")
# What code without I/O may not call: clocks, threads, sockets, files, chance, printing.
FORBIDDEN = re.compile(r"^(time|clock|clock_gettime|gettimeofday|nanosleep|sleep|usleep|pthread_\w+|socket|connect|"
                       r"send|recv|read|write|open|fopen|fread|fwrite|fclose|rand|random|srand|getrandom|arc4random|"
                       r"printf|fprintf|puts|putchar|perror|getenv|exit|system)$")
SANS_IO = ["base", "wire", "core", "mockbroker"]
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')


def check_include(layer, relative, name, allowed, third_party):
    if STANDARD.match(name):
        return None
    for start, files in ONLY.items():
        if name.startswith(start) and not files.match(relative):
            return f"includes <{name}>, which stays behind {files.pattern}"
    first = name.split("/")[0]
    if first == layer or any(name == a or name.startswith(a + "/") for a in allowed):
        return None
    if any(name == t or name.startswith(t) for t in third_party):
        return None
    return f"includes \"{name}\", which layer {layer} may not know"


def check_sources(root):
    problems = []
    for layer, (folder, allowed, third_party) in LAYERS.items():
        for path in sorted((root / folder).rglob("*")):
            if path.suffix not in (".c", ".h", ".def"):
                continue
            relative = path.relative_to(root).as_posix()
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                match = INCLUDE.match(line)
                problem = match and check_include(layer, relative, match.group(1), allowed, third_party)
                if problem:
                    problems.append(f"{relative}:{number}: {problem}")
    return problems


def check_archives(folder):
    problems = []
    for layer in SANS_IO:
        archive = folder / f"liblinger_{layer}.a"
        listed = subprocess.run(["nm", "-u", str(archive)], capture_output=True, text=True, check=True).stdout
        for line in listed.splitlines():
            symbol = line.split()[-1] if line.split() else ""
            if FORBIDDEN.match(symbol):
                problems.append(f"{archive.name}: calls {symbol}: code without I/O may not")
    return problems


def main():
    root, libraries = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    problems = check_sources(root) + check_archives(libraries)
    for problem in problems:
        print(problem)
    print(f"{len(LAYERS)} layers, {len(SANS_IO)} archives: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
