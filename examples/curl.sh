#!/bin/sh
# Paint a sample picture with curl: start a run, watch it, fetch the result; then in one pass, beside it as NAME-fast.png.
# sh examples/curl.sh [painting.png]; NST_URL says where the studio is.
set -eu
api=${NST_URL:-http://127.0.0.1:8050}/api/v1
painting=${1:-painting.png}
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT

curl -sSf "$api/samples/harbour.png" -o "$folder/content.png"
curl -sSf "$api/samples/night-wind.png" -o "$folder/style.png"

run=$(curl -sSf "$api/runs" -F content=@"$folder/content.png" -F style=@"$folder/style.png" -F size=256 -F epochs=10 |
  sed -E 's/.*"id": ?"([0-9a-f]+)".*/\1/')
echo "run $run"

curl -sSfN "$api/runs/$run/stream" | grep --line-buffered '^event:' # ends with the run
curl -sSf "$api/runs/$run/result.png" -o "$painting"
echo "painted $painting"

style=$(curl -sSf "$api/styles" | sed -E 's/.*"fast": ?\[\{"name": ?"([a-z0-9-]+)".*/\1/')
curl -sSf "$api/stylize/fast" -F content=@"$folder/content.png" -F style="$style" -o "${painting%.png}-fast.png"
echo "painted ${painting%.png}-fast.png in the style $style"
