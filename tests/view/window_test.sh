#!/bin/sh
# Drives the test scene in a real window under Xvfb with real keys and clicks, and compares what the screen shows with the
# picture drawn without a display, pixel by pixel.
#
#     window_test.sh PATH/TO/window_scene
#
# Exits 77 (skipped) when Xvfb, xdotool or ImageMagick is missing.
set -eu
scene=$1
for tool in Xvfb xdotool import compare; do
    command -v "$tool" >/dev/null || { echo "skipped: no $tool"; exit 77; }
done
work=$(mktemp -d)
xvfb=
trap 'kill $xvfb 2>/dev/null || true; rm -rf "$work"' EXIT
# Leaks of the display drivers are not ours to report.
export LSAN_OPTIONS=detect_leaks=0

Xvfb -displayfd 3 -screen 0 1400x800x24 -nolisten tcp 3>"$work/display" 2>/dev/null &
xvfb=$!
for _ in $(seq 100); do [ -s "$work/display" ] && break; sleep 0.05; done
DISPLAY=:$(cat "$work/display")
export DISPLAY

await() { # PATTERN: until the program has said it
    for _ in $(seq 200); do grep -q "$1" "$work/out" && return 0; sleep 0.05; done
    echo "never said: $1"; exit 1
}

: >"$work/out"
"$scene" "$work/headless.png" >>"$work/out" &
program=$!
await ready
window=$(xdotool search --sync --name 'linger test scene' | head -1)
xdotool windowfocus --sync "$window" 2>/dev/null || true

same() { # NAME: the screen and the headless picture agree
    sleep 0.8
    : >"$work/out"
    rm -f "$work/headless.png"
    xdotool key F1
    await written
    import -silent -window "$window" "$work/screen.png"
    if ! differing=$(compare -metric AE "$work/screen.png" "$work/headless.png" null: 2>&1); then
        echo "$1: $differing pixels differ"; exit 1
    fi
    echo "$1: the same pixels"
}

at() { # X Y: place of the pointer inside the window
    xdotool mousemove --window "$window" "$1" "$2"; sleep 0.15
}

at 700 5; same "first frame"
at 665 124; xdotool click 1; sleep 0.1; xdotool click 1; same "after two clicks on Reset"
at 950 124; same "hovering, with the tooltip"
at 660 217; xdotool mousedown 1; sleep 0.1; at 800 217; xdotool mouseup 1; same "after dragging the slider"
at 700 252; xdotool click 1; xdotool key End; xdotool type --delay 30 'x9'; same "typing"
xdotool key Return; at 800 500; xdotool click 3; sleep 0.2; xdotool key Down; sleep 0.1; xdotool key Down; sleep 0.1
same "the menu"
xdotool key Return; sleep 0.1; xdotool key Escape; sleep 0.1
xdotool key t; same "light"
xdotool key p; same "presenter size"
xdotool key question; same "the card of keys"
xdotool key Escape; sleep 0.3; at 700 5; sleep 1
: >"$work/out"
xdotool key q
wait "$program"
cat "$work/out"
grep -q 'clicks 2 ' "$work/out" || { echo "two clicks were not counted"; exit 1; }
grep -q 'chosen 2 ' "$work/out" || { echo "the menu's third entry was not chosen"; exit 1; }
grep -q 'field shop.linger.ms=20x9$' "$work/out" || { echo "typing did not arrive"; exit 1; }
drawn=$(sed -n 's/.*drawn \([0-9]*\) .*/\1/p' "$work/out")
[ "$drawn" -lt 120 ] || { echo "drew $drawn frames although nothing moved most of the time"; exit 1; }
