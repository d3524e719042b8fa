#!/usr/bin/env bash
# Makes the bindings under src/main/java from cuda.h and cuda.symbols. Needs jextract on the PATH; see README.md.
# usage: generate.sh [--verify] [INCLUDE_FOLDER]
#   --verify         changes nothing: the committed files must have the committed checksums and, where jextract and the
#                    header are at hand, be what they make
#   INCLUDE_FOLDER   where cuda.h lies (default: $CUDA_HOME/include, or else /usr/local/cuda/include)
set -euo pipefail
cd "$(dirname "$0")"
verify=false
[ "${1:-}" = --verify ] && { verify=true; shift; }
include=${1:-${CUDA_HOME:-/usr/local/cuda}/include}
package=dev.slipstream.jextract.cuda
sources=src/main/java/${package//.//}

if $verify; then
  sha256sum --quiet --strict -c SHA256SUMS || { echo "generate.sh: the bindings were edited; make them anew" >&2; exit 1; }
  [ "$(ls "$sources" | grep -cv package-info)" = "$(grep -c "$sources" SHA256SUMS)" ] \
    || { echo "generate.sh: there are bindings without a checksum" >&2; exit 1; }
  if ! command -v jextract >/dev/null || [ ! -f "$include/cuda.h" ]; then
    echo "checksums agree; not generated anew, as there is no jextract or no $include/cuda.h here"
    exit 0
  fi
fi
command -v jextract >/dev/null || { echo "generate.sh: no jextract on the PATH" >&2; exit 1; }
header=$(grep -m1 -oE '#define CUDA_VERSION [0-9]+' "$include/cuda.h" | cut -d' ' -f3)
[ "$header" = 13000 ] || { echo "generate.sh: $include/cuda.h is of CUDA_VERSION $header, not 13000" >&2; exit 1; }

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
grep -v '^#' cuda.symbols | grep . > "$out/symbols"
# Internal names: cuda.h renames functions to their newest version by macros, some of which older drivers lack.
# No -l: the library is chosen and opened by the bridge, not by a static initialiser.
jextract --define-macro __CUDA_API_VERSION_INTERNAL --include-dir "$include" ${JEXTRACT_ARGS:-} \
  --target-package "$package" --header-class-name CudaDriver --output "$out" "@$out/symbols" "$include/cuda.h"
# SymbolLookup.findOrThrow came with Java 23; the bindings are to compile for 22.
sed -i -E 's/\.findOrThrow\(("[^"]+")\)/.find(\1).orElseThrow()/' "$out/${package//.//}"/*.java

if $verify; then
  diff -r --exclude=package-info.java "$out/${package//.//}" "$sources" \
    || { echo "generate.sh: the committed bindings differ from what jextract makes here" >&2; exit 1; }
  echo "the bindings are what jextract makes of $include/cuda.h"
else
  mkdir -p "$sources"
  find "$sources" -name '*.java' ! -name package-info.java -delete
  cp "$out/${package//.//}"/*.java "$sources"
  sha256sum cuda.symbols "$sources"/C*.java > SHA256SUMS
  echo "made $(ls "$sources" | grep -cv package-info) files"
fi
