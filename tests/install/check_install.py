#!/usr/bin/env python3
"""Install into a fresh prefix, and use what is there as somebody else would.

usage: check_install.py SOURCE_DIR BUILD_DIR SANITIZERS WORK_DIR

The program of docs/embedding.md is built with CMake's find_package and with pkg-config, as C and as C++, and must print
what the document says. Every public header compiles alone, as C11 and as C++17.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

source, build, sanitizers, work = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3], pathlib.Path(sys.argv[4])
prefix = work / "prefix"
sanitize = [f"-fsanitize={sanitizers}"] if sanitizers else []
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def run(*command, **options):
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode != 0:
        print("$", *command)
        print(done.stdout)
        sys.exit(1)
    return done.stdout


def program_and_output():
    """The one C block of the document that has a main(), and what stands behind "It prints"."""
    text = (source / "docs/embedding.md").read_text()
    programs = [block for block in re.findall(r"```c\n(.*?)```", text, re.S) if "int main(" in block]
    assert len(programs) == 1, "docs/embedding.md holds one program"
    said = re.findall(r"^    (.*)$", text.split("It prints")[1], re.M)
    return programs[0], "\n".join(said) + "\n"


def check_headers():
    headers = sorted((prefix / "include/linger").glob("*.h"))
    assert len(headers) >= 4, f"headers are installed: {headers}"
    for header in headers:
        name = f"linger/{header.name}"
        for compilers, language, standard in ((("gcc", "clang", "clang-14"), "c", "c11"),
                                              (("g++", "clang++", "clang++-14"), "c++", "c++17")):
            for compiler in filter(shutil.which, compilers):
                # Twice: the include guard.
                run(compiler, *WARNINGS, f"-std={standard}", "-fsyntax-only", "-x", language, f"-I{prefix / 'include'}", "-",
                    input=f"#include <{name}>\n#include <{name}>\n")


def check_with_cmake(files, expected):
    folder = work / "with-cmake"
    folder.mkdir()
    lines = ["cmake_minimum_required(VERSION 3.22)", "project(consumer C CXX)", "set(CMAKE_CXX_STANDARD 17)",
             "set(CMAKE_C_STANDARD 11)", "find_package(linger 0.1 REQUIRED)"]
    for file in files:
        name = "consumer_" + file.suffix[1:]
        lines += [f"add_executable({name} {file})", f"target_link_libraries({name} PRIVATE linger::linger)"]
    (folder / "CMakeLists.txt").write_text("\n".join(lines) + "\n")
    flags = " ".join(WARNINGS + sanitize)
    run("cmake", "-G", "Ninja", "-S", folder, "-B", folder / "build", f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_C_FLAGS={flags}",
        f"-DCMAKE_CXX_FLAGS={flags}", "-DCMAKE_BUILD_TYPE=Debug")
    run("cmake", "--build", folder / "build")
    for file in files:
        output = run(folder / "build" / ("consumer_" + file.suffix[1:]))
        assert output == expected, f"{file.name} with CMake prints {output!r}"


def check_with_pkg_config(files, expected):
    pc = list(prefix.rglob("linger.pc"))
    assert len(pc) == 1, pc
    environment = dict(os.environ, PKG_CONFIG_PATH=str(pc[0].parent))
    flags = run("pkg-config", "--cflags", "--libs", "linger", env=environment).split()
    for file in files:
        compiler, standard = ("cc", "c11") if file.suffix == ".c" else ("c++", "c++17")
        target = work / ("with-pkg-config-" + file.suffix[1:])
        run(compiler, *WARNINGS, f"-std={standard}", *sanitize, file, "-o", target, *flags)
        output = run(target)
        assert output == expected, f"{file.name} with pkg-config prints {output!r}"


shutil.rmtree(work, ignore_errors=True)
work.mkdir(parents=True)
run("cmake", "--install", build, "--prefix", prefix)
assert os.access(prefix / "bin/linger", os.X_OK), "the program is installed"
assert list(prefix.rglob("liblinger.a")), "the library is installed"
text, expected = program_and_output()
files = [work / "main.c", work / "main.cc"]
for file in files:
    file.write_text(text)
check_headers()
check_with_pkg_config(files, expected)
check_with_cmake(files, expected)
